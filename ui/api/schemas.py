"""What the HTTP API takes and gives, beside the dataclasses of `qa.answer`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from qa.answer import AnswerKind, Citation, Evidence, Item, RetrievedPassage, Topic
from qa.wording import source_name

MAX_HISTORY = 50
MAX_TOP_K = 50


def _encodable(text: str) -> str:
    """The text, unless half a character is missing (JSON can say so, and nothing can write it)."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("ce texte n’est pas de l’Unicode valide") from error
    return text


Text = Annotated[str, AfterValidator(_encodable)]


class Strict(BaseModel):
    """A request of ours: a field it does not know is a mistake, and is said."""

    model_config = ConfigDict(extra="forbid")


class Exchange(Strict):
    """A question asked before, and what was answered: the short answer, or the text that begins with it."""

    question: Text
    answer: Text


class Bounds(Strict):
    """How likely right a short answer must be to be given (`short`), and how likely an answer must be in the
    articles for anything to be given (`abstain`)."""

    short: Annotated[float, Field(ge=0, le=1)]
    abstain: Annotated[float, Field(ge=0, le=1)]


class Question(Strict):
    """A question in French; what is left out is as in the user's preferences."""

    question: Annotated[Text, Field(examples=["Qui a été nommé à la tête d’OpenAI ?"])]
    history: Annotated[
        list[Exchange],
        Field(max_length=MAX_HISTORY, description="Les échanges précédents, du plus ancien au plus récent."),
    ] = []
    top_k: Annotated[
        int | None, Field(ge=1, le=MAX_TOP_K, description="Nombre de passages donnés avec la réponse.")
    ] = None
    article_ids: Annotated[
        list[Text] | None,
        Field(min_length=1, max_length=1000, description="Les seuls articles à interroger."),
    ] = None
    thresholds: Bounds | None = None


class AnswerBody(BaseModel):
    """An answer: what it asserts depends on its `kind`; `text` is what a person reads, with its markers."""

    kind: AnswerKind
    question: str
    short: str | None
    items: list[Item]
    text: str
    answerable: bool
    confidence: float
    citations: list[Citation]
    passages: list[RetrievedPassage]
    evidence: list[Evidence]
    timings: dict[str, float]
    topic: Topic
    suggestions: list[str]


class StepBody(BaseModel):
    """A step that has begun, and the passages found before it."""

    name: str
    label: str
    passages: list[RetrievedPassage]


Source = Annotated[str, BeforeValidator(source_name)]
"""Where an article comes from: of a file, its name alone."""


class ArticleText(Strict):
    """An article sent as text; without a title, its first short line is one."""

    text: Annotated[Text, Field(min_length=1)]
    title: Annotated[Text, Field(max_length=300)] = ""
    source: Annotated[Text, Field(max_length=2000)] = ""
    date: Annotated[Text | None, Field(max_length=40, examples=["2023-11-17"])] = None
    author: Annotated[Text | None, Field(max_length=300)] = None


class ArticleSummary(BaseModel):
    """An article of the library; `added` is an ISO time in UTC."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str
    source: Source
    date: str | None
    author: str | None
    added: str
    passages: int
    characters: int


class ArticleList(BaseModel):
    """A page of the articles, in order of title, and how many there are in all."""

    total: int
    articles: list[ArticleSummary]


class ArticleBody(BaseModel):
    """An article with its text: the offsets of citations are offsets in this text."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str
    text: str
    source: Source
    date: str | None
    author: str | None


class Refusal(BaseModel):
    """A file that was not taken, and why, in French."""

    file: str
    reason: str


class Added(BaseModel):
    """What became of the articles sent: their ids, and the files refused."""

    added: list[str]
    updated: list[str]
    unchanged: list[str]
    refused: list[Refusal]
    passages: int


class Removed(BaseModel):
    """How many articles were removed."""

    removed: int


class Health(BaseModel):
    """`ready` once the models are loaded; until then a question waits for them."""

    status: Literal["ready", "loading"]
    version: str


class ErrorBody(BaseModel):
    """What went wrong, in one French line; `field` is the part of the request at fault."""

    error: str
    field: str | None
    request_id: str | None


class OpenAIErrorDetail(BaseModel):
    """An error as OpenAI's clients read it; `param` is the part of the request at fault."""

    message: str
    type: str
    param: str | None
    code: None = None


class OpenAIError(BaseModel):
    """The body of every error below /v1."""

    error: OpenAIErrorDetail


class TextPart(BaseModel):
    """A part of a message; only text is read."""

    type: Text
    text: Text = ""


def _joined(content: object) -> object:
    """The text of a message sent in parts; what is no text is left aside."""
    if not isinstance(content, list):
        return content
    parts = [part for part in content if isinstance(part, dict) and part.get("type") == "text"]
    return "\n".join(str(part.get("text", "")) for part in parts)


class ChatMessage(BaseModel):
    """A message of a conversation, in OpenAI's shape."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[
        Text | None, BeforeValidator(_joined, json_schema_input_type=str | list[TextPart] | None)
    ] = None

    @property
    def text(self) -> str:
        """Its text, empty where it has none."""
        return self.content or ""


class StreamOptions(BaseModel):
    """`include_usage` asks for a last chunk with the counts."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A conversation whose last message is the question; what a generating model needs is ignored."""

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    model: Annotated[Text, Field(max_length=200)] = "sourcier"
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Annotated[int | None, Field(ge=1, le=1)] = 1

    @model_validator(mode="after")
    def _ends_with_a_question(self) -> ChatRequest:
        if self.messages[-1].role != "user":
            raise ValueError("le dernier message doit être celui de l’utilisateur (role «\u00a0user\u00a0»)")
        return self


class Usage(BaseModel):
    """Words read and written, in place of tokens: no text is paid for here."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AssistantMessage(BaseModel):
    """The answer's text, with its markers and the list of its sources."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    """The one answer."""

    index: int = 0
    message: AssistantMessage
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class Completion(BaseModel):
    """An answer in OpenAI's shape; `citations`, `kind`, `answerable`, `confidence` and `suggestions` are Sourcier's own."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    citations: list[Citation]
    kind: AnswerKind
    answerable: bool
    confidence: float
    suggestions: list[str]


class ChunkChoice(BaseModel):
    """The one answer, a piece of it: `delta` holds a role or a content."""

    index: int = 0
    delta: dict[str, str]
    finish_reason: Literal["stop"] | None = None


class Chunk(BaseModel):
    """A piece of a streamed answer; the last one with a choice carries Sourcier's own fields."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None = None
    citations: list[Citation] | None = None
    kind: AnswerKind | None = None
    answerable: bool | None = None
    confidence: float | None = None
    suggestions: list[str] | None = None


class Model(BaseModel):
    """The one model there is."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "sourcier"


class ModelList(BaseModel):
    """The models on offer."""

    object: Literal["list"] = "list"
    data: list[Model]
