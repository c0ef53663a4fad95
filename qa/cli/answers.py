"""An answer in the terminal, in the form of its kind."""

from __future__ import annotations

from rich.text import Text

from qa.answer import Answer, Citation
from qa.cli.output import output, plain
from qa.wording import (
    ARTICLES,
    CERTAINTIES,
    NEAREST,
    QUOTED,
    SUGGESTED,
    certainty_of,
    exact_words,
    place_of,
    polarity,
    remark_of,
    source_of,
)

SHOWN_EVIDENCE = 3


def show_answer(answer: Answer) -> None:
    """Print what the answer asserts, how sure it is, the sentences that prove it, and what else one could ask."""
    certainty = certainty_of(answer)
    sure = Text(f"({CERTAINTIES[certainty].lower()})" if certainty else "", style="dim")
    lead = _lead(answer)
    if answer.kind in ("span", "yes", "no") and sure:
        lead = [Text("  ").join([*lead, sure])]
    elif sure:
        lead.append(sure)
    for line in lead:
        _say(line)
    for citation in answer.citations:
        output.print()
        _say(_quoted(citation, answer.short))
        _say(Text(f"    {plain(source_of(citation))}", style="dim"))
    if answer.kind == "none" and answer.evidence:
        _say(Text(f"\n{NEAREST}", style="dim"))
        for one in answer.evidence[:SHOWN_EVIDENCE]:
            _say(
                Text(f"  • « {plain(_one_line(one.sentence))} » ({plain(place_of(one.title))})", style="dim")
            )
    if answer.suggestions:
        _say(Text(f"\n{SUGGESTED}", style="dim"))
        for question in answer.suggestions:
            _say(Text(f"  • {plain(question)}", style="dim"))


def _lead(answer: Answer) -> list[Text]:
    """What comes before the quotations, a line at least."""
    match answer.kind:
        case "talk" | "none":
            return [Text(remark_of(answer))]
        case "yes" | "no":
            return [Text(polarity(answer), "bold")]
        case "list" if answer.items:
            return [
                Text.assemble("• ", (plain(one.text), "bold"), f" [{one.marker}]") for one in answer.items
            ]
        case "span" if answer.short:
            return [Text(plain(answer.short), "bold")]
        case _:
            return [Text(ARTICLES if answer.kind == "articles" else QUOTED)]


def _say(text: Text) -> None:
    """Print to the standard output, wrapped where it is a screen, each paragraph on its line where it is not."""
    output.print(text, soft_wrap=not output.is_terminal)


def _quoted(citation: Citation, short: str | None) -> Text:
    """The cited sentence, the words that answer marked in it."""
    before, words, after = map(plain, exact_words(citation, short))
    return Text.assemble(f"[{citation.marker}] « ", before, (words, "bold underline"), after, " »")


def _one_line(text: str) -> str:
    return " ".join(text.split())
