"""Says what type of file it is: by its content; the name only decides between kinds of text."""

from __future__ import annotations

import enum
import re
import zipfile
from pathlib import Path, PurePath

from ingest.types import UnreadableFileError, UnsupportedFileError

_HEAD_BYTES = 64 * 1024
_SUPPORTED = "Supported are PDF, Word (.docx), HTML, Markdown, CSV, TSV and plain text"


class Format(enum.Enum):
    """A type of file with a reader; the value is its media type."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    HTML = "text/html"
    MARKDOWN = "text/markdown"
    CSV = "text/csv"
    TSV = "text/tab-separated-values"
    TEXT = "text/plain"

    @property
    def media_type(self) -> str:
        """The media type as HTTP writes it."""
        return self.value


_BY_SUFFIX = {
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".xhtml": Format.HTML,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".mdx": Format.MARKDOWN,
    ".csv": Format.CSV,
    ".tsv": Format.TSV,
    ".tab": Format.TSV,
}
_IMAGE = ("an image", "recognise its text (OCR) and upload that as PDF or text")
_SOUND = ("a sound or video file", "upload a transcript")
_ARCHIVE = ("an archive", "unpack it and upload the files inside")
_PROGRAM = ("a program", "upload documents only")
_DATABASE = ("a database", "export its tables as CSV")
_UNSUPPORTED_MAGIC: tuple[tuple[bytes, tuple[str, str]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _IMAGE),
    (b"\xff\xd8\xff", _IMAGE),
    (b"GIF8", _IMAGE),
    (b"II*\0", _IMAGE),
    (b"MM\0*", _IMAGE),
    (b"\0\0\1\0", _IMAGE),
    (b"8BPS", _IMAGE),
    (b"ID3", _SOUND),
    (b"OggS", _SOUND),
    (b"fLaC", _SOUND),
    (b"\x1aE\xdf\xa3", _SOUND),
    (b"RIFF", ("an image, sound or video file", "upload a transcript")),
    (b"\x1f\x8b", _ARCHIVE),
    (b"BZh", _ARCHIVE),
    (b"\xfd7zXZ\0", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"Rar!\x1a\x07", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", _ARCHIVE),
    (b"MZ", _PROGRAM),
    (b"\x7fELF", _PROGRAM),
    (b"\xcf\xfa\xed\xfe", _PROGRAM),
    (b"\xca\xfe\xba\xbe", _PROGRAM),
    (b"SQLite format 3\0", _DATABASE),
    (b"PAR1", _DATABASE),
    (b"{\\rtf", ("a Rich Text (RTF) document", "save it as .docx or PDF")),
    (b"%!PS", ("a PostScript file", "save it as PDF")),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UNSUPPORTED_ZIP: tuple[tuple[str, tuple[str, str]], ...] = (
    ("xl/", ("an Excel workbook", "save each sheet as CSV")),
    ("ppt/", ("a PowerPoint presentation", "save it as PDF")),
    ("META-INF/container.xml", ("an EPUB book", "convert it to PDF or HTML")),
    ("content.xml", ("an OpenDocument file", "save it as .docx, PDF or CSV")),
    ("Index/Document.iwa", ("an Apple iWork file", "save it as .docx or PDF")),
)
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
_LOOKS_LIKE_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*|<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b\0"))


def sniff_format(path: Path, name: str) -> Format:
    """The format of the file at `path`, which its owner calls `name`.

    Raises UnsupportedFileError (what it is, what to do) for what no reader reads, and UnreadableFileError for
    an empty, damaged or encrypted file.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise UnreadableFileError(f"{name} is empty: upload a file with text in it.")
    if b"%PDF-" in head[:1024]:
        return Format.PDF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _sniff_zip(path, name)
    if head.startswith(_OLE):
        raise _ole_error(path, name)
    for magic, (what, remedy) in _UNSUPPORTED_MAGIC:
        if head.startswith(magic) and (len(magic) > 3 or _is_binary(head)):
            raise _unsupported(name, what, remedy)
    if head[4:8] == b"ftyp":
        raise _unsupported(name, *_SOUND)
    if head[257:262] == b"ustar":
        raise _unsupported(name, *_ARCHIVE)
    if _is_binary(head):
        raise _unsupported(name, "binary data of an unknown type", "save it as PDF or text")
    return _sniff_text(head, name)


def _unsupported(name: str, what: str, remedy: str) -> UnsupportedFileError:
    return UnsupportedFileError(f"{name} is {what}, which cannot be read: {remedy}. {_SUPPORTED}.")


def _sniff_zip(path: Path, name: str) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableFileError(
            f"{name} is damaged or incomplete (its ZIP container has no valid end): export it again and upload that."
        ) from error
    if any(member.startswith("word/") for member in members):
        return Format.DOCX
    for prefix, (what, remedy) in _UNSUPPORTED_ZIP:
        if any(member.startswith(prefix) for member in members):
            raise _unsupported(name, what, remedy)
    raise _unsupported(name, *_ARCHIVE)


def _ole_error(path: Path, name: str) -> UnreadableFileError | UnsupportedFileError:
    """An OLE container holds an old Office file, an Outlook message, or a new Office file under a password."""
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        return UnreadableFileError(f"{name} is protected by a password: remove it and upload again.")
    if "WordDocument".encode("utf-16-le") in content:
        return _unsupported(name, "a Word document in the old .doc format", "save it as .docx or PDF")
    if "__substg1.0_".encode("utf-16-le") in content:
        return _unsupported(name, "an Outlook message", "save it as PDF or HTML")
    return _unsupported(name, "an Office file in an old format", "save it as .docx, PDF or CSV")


def _is_binary(head: bytes) -> bool:
    """Whether the bytes cannot be text: many control characters, or NULs outside UTF-16 and UTF-32."""
    if head.startswith(_BOMS):
        return False
    controls = len(head) - len(head.translate(None, _CONTROL))
    if controls * 20 > len(head):
        return True
    nuls = head.count(0)
    if nuls * 10 < len(head):
        return False
    even, odd = head[::2].count(0), head[1::2].count(0)
    return 4 * min(even, odd) > max(even, odd) and nuls * 2 < len(head)  # UTF-16: one side; UTF-32: three of four


def _sniff_text(head: bytes, name: str) -> Format:
    if _LOOKS_LIKE_HTML.match(head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")):
        return Format.HTML
    suffix = PurePath(name).suffix.lower()
    if suffix in {".eml", ".mbox"}:
        raise _unsupported(name, "an e-mail", "save it as PDF, HTML or text")
    return _BY_SUFFIX.get(suffix, Format.TEXT)
