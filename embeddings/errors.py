"""What goes wrong with models and indexes: each message is one French line that says what to do."""

from __future__ import annotations

import errno

REPAIR = "lancez « sourcier library verify --repair »"


class EmbeddingsError(Exception):
    """A model cannot be loaded, or an index is damaged or of another shape."""


_CAUSES = {
    errno.EACCES: "accès refusé",
    errno.EPERM: "opération interdite",
    errno.ENOENT: "introuvable",
    errno.EEXIST: "existe déjà",
    errno.EISDIR: "c’est un dossier",
    errno.ENOTDIR: "un élément du chemin n’est pas un dossier",
    errno.ENAMETOOLONG: "nom trop long",
    errno.ELOOP: "lien qui tourne en rond",
    errno.ENOSPC: "plus de place sur le disque",
    errno.EROFS: "disque en lecture seule",
    errno.EFBIG: "fichier trop gros",
    errno.EIO: "erreur du disque",
    errno.EMFILE: "trop de fichiers ouverts",
    errno.ENFILE: "trop de fichiers ouverts",
}


def cause_of(error: Exception) -> str:
    """What the system or a library says went wrong; in French for the usual errors of files."""
    known = _CAUSES.get(error.errno or 0) if isinstance(error, OSError) else None
    return known or getattr(error, "strerror", None) or str(error)
