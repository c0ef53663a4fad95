"""Files in files: the documents of a .zip, the chapters of a .epub."""

from __future__ import annotations

import posixpath
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from qa.errors import ArticleError
from qa.ingest.formats.content import MAX_TEXT_CHARS, Content
from qa.ingest.formats.dates import iso_date
from qa.ingest.formats.office.package import Element, Package, opened
from qa.ingest.formats.web import decode_page, text_of_html

MAX_FILES = 5_000
MAX_UNPACKED_BYTES = 300_000_000

_MOST_TOLD = 5
_DUBLIN = "{http://purl.org/dc/elements/1.1/}"
_OPF = "{http://www.idpf.org/2007/opf}"
_NCX = "{http://www.daisy.org/z3986/2005/ncx/}"
_TITLE_SEEN = 400

Reader = Callable[[Path], "Content | list[Content]"]


def read_zip(path: Path, readers: Mapping[str, Reader]) -> list[Content]:
    """What the files of an archive say, those in its folders too; archives in it are not opened."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ArticleError("ce n’est pas une archive .zip valide") from error
    contents: list[Content] = []
    refused: list[str] = []
    with archive, tempfile.TemporaryDirectory(prefix="sourcier-") as folder:
        files = [part for part in archive.infolist() if not part.is_dir() and not _is_hidden(part.filename)]
        if len(files) > MAX_FILES or sum(part.file_size for part in files) > MAX_UNPACKED_BYTES:
            raise ArticleError("archive trop grosse une fois décompressée, refusée par prudence")
        left = MAX_UNPACKED_BYTES
        for number, part in enumerate(files):
            suffix = PurePosixPath(part.filename).suffix.lower()
            if suffix not in readers:
                refused.append(f"{part.filename} (type non pris en charge)")
                continue
            place = Path(folder) / f"{number}{suffix}"
            try:
                left -= _unpack(archive, part, place, left)
                found = readers[suffix](place)
            except ArticleError as error:
                refused.append(f"{part.filename} ({error})")
                continue
            finally:
                place.unlink(missing_ok=True)
            for content in found if isinstance(found, list) else [found]:
                name = f"{part.filename}#{content.name}" if content.name else part.filename
                contents.append(replace(content, name=name))
    if not contents:
        why = f" : {refused[0]}" if refused else ""
        raise ArticleError(f"aucun fichier lisible dans cette archive{why}")
    if refused:
        more = f" et {len(refused) - _MOST_TOLD} autres" if len(refused) > _MOST_TOLD else ""
        told = f"fichiers de l’archive non lus : {', '.join(refused[:_MOST_TOLD])}{more}"
        contents[0] = replace(contents[0], notices=(*contents[0].notices, told))
    return contents


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _unpack(archive: zipfile.ZipFile, part: zipfile.ZipInfo, place: Path, left: int) -> int:
    """Write a file of the archive, never more than it announces; its size."""
    if part.flag_bits & 1:
        raise ArticleError("protégé par un mot de passe")
    try:
        with archive.open(part) as source, place.open("wb") as target:
            size = 0
            while chunk := source.read(1 << 20):
                size += len(chunk)
                if size > min(part.file_size, left):
                    raise ArticleError("plus gros qu’annoncé, refusé par prudence")
                target.write(chunk)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise ArticleError("abîmé") from error
    if not size:
        raise ArticleError("vide")
    return size


def read_epub(path: Path) -> Content:
    """The chapters of a book, in order, each under its name."""
    with opened(path, "un livre") as package:
        place = _book(package)
        book = package.xml_of(place)
        if book is None:
            raise ArticleError("ce n’est pas un livre (.epub) valide")
        items = {item.get("id") or "": item for item in book.iter(f"{_OPF}item")}
        names = _chapter_names(package, items.values(), posixpath.dirname(place))
        chapters: list[str] = []
        length = 0
        for reference in book.iter(f"{_OPF}itemref"):
            item = items.get(reference.get("idref") or "")
            if item is None or "nav" in (item.get("properties") or "").split():
                continue
            name = _joined(posixpath.dirname(place), item.get("href") or "")
            text = text_of_html(decode_page(package.bytes_of(name)))
            title = names.get(name, "")
            if text and title and title not in text[:_TITLE_SEEN]:
                text = f"{title}\n\n{text}"
            length += len(text)
            if length > MAX_TEXT_CHARS:
                raise ArticleError(f"texte trop long, {MAX_TEXT_CHARS} caractères au plus")
            chapters.append(text)
        if not any(chapters):
            locked = "META-INF/encryption.xml" in package.names
            raise ArticleError(
                "livre protégé (DRM), il ne peut pas être lu"
                if locked
                else "aucun texte trouvé dans ce livre"
            )

        def said(tag: str) -> str:
            found = next(book.iter(f"{_DUBLIN}{tag}"), None)
            return " ".join((found.text or "").split()) if found is not None else ""

        return Content(
            "\n\n".join(filter(None, chapters)), said("title"), "", iso_date(said("date")), said("creator")
        )


def _book(package: Package) -> str:
    """The name of the part that lists the chapters."""
    container = package.xml_of("META-INF/container.xml")
    for element in [] if container is None else container.iter():
        if isinstance(element.tag, str) and element.tag.endswith("}rootfile") and element.get("full-path"):
            return str(element.get("full-path"))
    return next((name for name in package.names if name.endswith(".opf")), "")


def _joined(folder: str, href: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(href.split("#")[0])))


def _chapter_names(package: Package, items: object, folder: str) -> dict[str, str]:
    """The names of chapters as the table of contents gives them, by part."""
    names: dict[str, str] = {}
    for item in list(items):  # type: ignore[call-overload]
        href = _joined(folder, item.get("href") or "")
        inner = posixpath.dirname(href)
        if "nav" in (item.get("properties") or "").split():
            root = package.xml_of(href)
            for link in [] if root is None else root.iter("{http://www.w3.org/1999/xhtml}a"):
                names.setdefault(_joined(inner, link.get("href") or ""), _words(link))
        elif item.get("media-type") == "application/x-dtbncx+xml":
            root = package.xml_of(href)
            for point in [] if root is None else root.iter(f"{_NCX}navPoint"):
                label, target = point.find(f"{_NCX}navLabel"), point.find(f"{_NCX}content")
                if label is not None and target is not None:
                    names.setdefault(_joined(inner, target.get("src") or ""), _words(label))
    return names


def _words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())[:300]
