"""Passages that share a question's rarest words: near misses to learn from."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from embeddings.text import content_stems


class Distractors:
    """Finds, for a question, the passages that share its rarest words."""

    def __init__(self, passages: Sequence[str]) -> None:
        bags = [set(content_stems(p)) for p in passages]
        counts = Counter(w for bag in bags for w in bag)
        self.weight = {w: math.log(1 + len(passages) / n) for w, n in counts.items()}
        self.postings: dict[str, list[int]] = defaultdict(list)
        for i, bag in enumerate(bags):
            for word in sorted(bag):
                if counts[word] < len(passages) / 20:
                    self.postings[word].append(i)

    def overlap(self, question: str, text: str) -> float:
        """Sum of the weights of the question's words that stand in the text."""
        shared = set(content_stems(question)) & set(content_stems(text))
        return math.fsum(self.weight.get(w, 0.0) for w in shared)

    def nearest(self, question: str, count: int) -> list[int]:
        """The `count` passages that share the most weight with the question."""
        scores: Counter[int] = Counter()
        for word in dict.fromkeys(content_stems(question)):
            for i in self.postings.get(word, ()):
                scores[i] += self.weight[word]  # type: ignore[assignment]
        return [i for i, _ in scores.most_common(count)]
