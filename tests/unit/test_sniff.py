"""Types of files by content: names lie."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ingest.sniff import Format, sniff_format
from ingest.types import UnreadableFileError, UnsupportedFileError


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (b"%PDF-1.7\n", "report.txt", Format.PDF),
        (b"\n\n%PDF-1.4\n", "report", Format.PDF),
        (b"<!DOCTYPE html><title>x</title>", "page.txt", Format.HTML),
        (b'<?xml version="1.0"?>\n<!-- made by hand -->\n<html>', "page", Format.HTML),
        ("<HTML>".encode("utf-16"), "page.csv", Format.HTML),
        (b"<b>bold</b> words", "page.html", Format.HTML),
        (b"# Title", "README.MD", Format.MARKDOWN),
        (b"a,b\n1,2", "table.csv", Format.CSV),
        (b"a\tb\n1\t2", "table.tsv", Format.TSV),
        (b"plain", "notes", Format.TEXT),
        ("plain words".encode("utf-16-le"), "notes.txt", Format.TEXT),
        ("plain words".encode("utf-32-be"), "notes.txt", Format.TEXT),
        ("Größe".encode("cp1252"), "notes.txt", Format.TEXT),
        ("名前,住所\n佐藤,東京".encode("cp932"), "table.csv", Format.CSV),
        (b"MZ is how this sentence begins.", "notes.txt", Format.TEXT),
        (b"words \0\0 and more words " * 20, "notes.txt", Format.TEXT),
    ],
)
def test_supported_types(tmp_path: Path, content: bytes, name: str, expected: Format) -> None:
    path = tmp_path / "blob"
    path.write_bytes(content)
    assert sniff_format(path, name) is expected


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x89PNG\r\n\x1a\n....", "an image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1", "an image"),
        (b"\0\0\0\x20ftypisom", "a sound or video file"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\xff", "an archive"),
        (b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff", "a program"),
        (b"SQLite format 3\0", "a database"),
        (b"{\\rtf1 words}", "a Rich Text"),
        (bytes(range(256)) * 8, "binary data"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "old .doc format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "__substg1.0_".encode("utf-16-le"), "an Outlook message"),
    ],
)
def test_types_without_a_reader_are_named_with_a_remedy(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "blob"
    path.write_bytes(content)
    with pytest.raises(UnsupportedFileError, match=what) as caught:
        sniff_format(path, "thing.txt")
    assert str(caught.value).startswith("thing.txt is ")
    assert ": " in str(caught.value)


@pytest.mark.parametrize(
    ("member", "what"),
    [
        ("xl/workbook.xml", "an Excel workbook"),
        ("ppt/presentation.xml", "a PowerPoint presentation"),
        ("META-INF/container.xml", "an EPUB book"),
        ("content.xml", "an OpenDocument file"),
        ("holiday/photo.jpg", "an archive"),
    ],
)
def test_zip_containers_are_told_apart_by_what_is_inside(tmp_path: Path, member: str, what: str) -> None:
    path = tmp_path / "blob"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "x")
    with pytest.raises(UnsupportedFileError, match=what):
        sniff_format(path, "thing.docx")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("word/document.xml", "x")
    assert sniff_format(path, "thing.zip") is Format.DOCX


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 and then nothing", "damaged or incomplete"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
    ],
)
def test_faulty_files_are_unreadable(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "blob"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=f"^letter.docx .*{fault}"):
        sniff_format(path, "letter.docx")


def test_media_types_are_those_of_http() -> None:
    assert Format.MARKDOWN.media_type == "text/markdown"
