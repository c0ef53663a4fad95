"""What goes wrong with models and indexes: each message is one French line that says what to do."""

from __future__ import annotations

REPAIR = "lancez « sourcier library verify --repair »"


class EmbeddingsError(Exception):
    """A model cannot be loaded, or an index is damaged or of another shape."""
