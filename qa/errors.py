"""What a user can mend: every message is one French line that says what was wrong and what to do."""

from __future__ import annotations


class SourcierError(Exception):
    """Base of all errors shown to the user as they are, without a traceback."""


class ArticleError(SourcierError):
    """A file could not be read as an article."""


class LibraryError(SourcierError):
    """A library is missing, locked, damaged, or was made by another encoder."""


class QuestionError(SourcierError):
    """A question cannot be asked: empty, or too long."""
