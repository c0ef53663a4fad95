"""An archive of XML parts, opened with care: bounded in size, without entities, and read even where parts are missing."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from qa.errors import ArticleError
from qa.ingest.formats.dates import iso_date

MAX_UNPACKED_BYTES = 300_000_000
MAX_XML_BYTES = 50_000_000
MAX_PARTS = 20_000

_OLD_OR_LOCKED = bytes.fromhex("d0cf11e0a1b11ae1")
_STRICT = (
    (b"http://purl.oclc.org/ooxml/wordprocessingml/main", b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"),
    (b"http://purl.oclc.org/ooxml/drawingml/", b"http://schemas.openxmlformats.org/drawingml/2006/"),
    (b"http://purl.oclc.org/ooxml/presentationml/main", b"http://schemas.openxmlformats.org/presentationml/2006/main"),
    (b"http://purl.oclc.org/ooxml/officeDocument/math", b"http://schemas.openxmlformats.org/officeDocument/2006/math"),
    (
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    ),
)  # fmt: skip
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_DUBLIN = "{http://purl.org/dc/elements/1.1/}"
_TERMS = "{http://purl.org/dc/terms/}"

_TEMPLATES = ("python-docx", "python-pptx", "openpyxl")

Element = Any  # of lxml, which has no types of its own


class Package:
    """The parts of an open archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._parts = {part.filename.replace("\\", "/"): part for part in archive.infolist()}
        self._read = 0

    @property
    def names(self) -> list[str]:
        """The names of all parts, in their order."""
        return list(self._parts)

    def bytes_of(self, name: str) -> bytes:
        """The bytes of a part, none where it is missing or damaged; ArticleError where all read so far is too much."""
        part = self._parts.get(name)
        if part is None:
            return b""
        left = MAX_XML_BYTES - self._read
        try:
            with self._archive.open(part) as opened:
                data = opened.read(left + 1)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError):
            return b""
        self._read += len(data)
        if len(data) > left:
            raise ArticleError("document trop gros une fois décompressé, refusé par prudence")
        return data

    def xml_of(self, name: str) -> Element | None:
        """The root of an XML part, None where it is missing or is none."""
        return parse_xml(self.bytes_of(name))

    def relations_of(self, name: str) -> dict[str, tuple[str, str]]:
        """The relations of a part, by id: the last word of the type and the name of the part aimed at."""
        folder, base = posixpath.split(name)
        root = self.xml_of(posixpath.join(folder, "_rels", f"{base}.rels"))
        found: dict[str, tuple[str, str]] = {}
        for relation in [] if root is None else root.iter(_RELATION):
            target = unquote(relation.get("Target") or "")
            if relation.get("TargetMode") == "External" or not target or target.startswith("#"):
                continue
            path = (
                target.lstrip("/")
                if target.startswith("/")
                else posixpath.normpath(posixpath.join(folder, target))
            )
            found[relation.get("Id") or ""] = (relation.get("Type") or "").rsplit("/", 1)[-1], path
        return found

    def properties(self) -> tuple[str, str | None, str | None]:
        """Title, date and author as the core properties say."""
        name = next((path for kind, path in self.relations_of("").values() if kind == "core-properties"), "")
        root = self.xml_of(name or "docProps/core.xml")
        if root is None:
            return "", None, None

        def said(tag: str) -> str:
            return (root.findtext(tag) or "").strip()

        created = iso_date(said(f"{_TERMS}created")) or iso_date(said(f"{_TERMS}modified"))
        author = said(f"{_DUBLIN}creator")
        if author in _TEMPLATES:  # its template's date too
            author, created = "", None
        return said(f"{_DUBLIN}title"), created, author


@contextmanager
def opened(path: Path, kind: str) -> Iterator[Package]:
    """The archive of a document; `kind` names it in French where it is refused."""
    with path.open("rb") as raw:
        if raw.read(8) == _OLD_OR_LOCKED:
            raise ArticleError(
                f"document protégé ou d’une ancienne version, enregistrez-le en {path.suffix.lower()} sans mot de passe"
            )
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ArticleError(f"ce n’est pas {kind} ({path.suffix.lower()}) valide") from error
    with archive:
        parts = archive.infolist()
        xml = sum(
            part.file_size for part in parts if part.filename.endswith((".xml", ".rels", ".xhtml", ".html"))
        )
        total = sum(part.file_size for part in parts)
        if xml > MAX_XML_BYTES or total > MAX_UNPACKED_BYTES or len(parts) > MAX_PARTS:
            raise ArticleError("document trop gros une fois décompressé, refusé par prudence")
        yield Package(archive)


def parse_xml(data: bytes) -> Element | None:
    """The root of an XML text, mended where it is damaged; no entity, no network, not too deep."""
    if not data:
        return None
    from lxml import etree

    for strict, usual in _STRICT:
        if strict in data:
            data = data.replace(strict, usual)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        recover=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def is_on(element: Element | None, value: str | None) -> bool:
    """Whether a switch of Office is there and not put off; `value` is that of its `val`."""
    return element is not None and value not in ("0", "false", "off", "none")
