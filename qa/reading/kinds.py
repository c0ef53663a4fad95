"""The kinds of answer that the reader tells apart."""

from __future__ import annotations

KINDS = ("none", "span", "list", "yes", "no", "sentences")
KIND_INDEX = {kind: number for number, kind in enumerate(KINDS)}
