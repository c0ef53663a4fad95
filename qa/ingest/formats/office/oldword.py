"""Documents of the Word of before 2007 (.doc), which only LibreOffice reads well."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from qa.errors import ArticleError
from qa.ingest.formats.content import Content
from qa.ingest.formats.office.word import read_docx
from qa.ingest.formats.rtf import read_rtf
from qa.ingest.formats.web import read_html

SECONDS = 120

_NEEDED = "ancien document Word (.doc) : installez LibreOffice, ou enregistrez-le en .docx"


def read_doc(path: Path) -> Content:
    """The text of an old Word document, by LibreOffice; what only bears its name is read as what it is."""
    with path.open("rb") as opened:
        head = opened.read(512).lstrip()
    if head[:5].lower() == b"{\\rtf":
        return read_rtf(path)
    if head[:2] == b"PK":
        return read_docx(path)
    if b"<html" in head.lower() or b"<!doctype html" in head.lower():
        return read_html(path)
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if not office:
        raise ArticleError(_NEEDED)
    with tempfile.TemporaryDirectory(prefix="sourcier-") as folder:
        profile = (Path(folder) / "profile").as_uri()
        command = [
            office,
            f"-env:UserInstallation={profile}",
            "--headless",
            "--convert-to",
            "docx",
            "--outdir",
            folder,
        ]
        try:
            subprocess.run([*command, str(path)], capture_output=True, timeout=SECONDS, check=False)
        except (subprocess.TimeoutExpired, OSError) as error:
            raise ArticleError(
                "LibreOffice n’a pas pu lire ce document .doc, enregistrez-le en .docx"
            ) from error
        made = Path(folder) / f"{path.stem}.docx"
        if not made.exists():
            raise ArticleError("LibreOffice n’a pas pu lire ce document .doc, enregistrez-le en .docx")
        return read_docx(made)
