"""PDF and Word files, made here by other libraries than the ones that read them where there is one."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import docx
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from ingest.readers import Reading, read_file
from ingest.types import UnreadableFileError


def read(tmp_path: Path, name: str, content: bytes) -> Reading:
    path = tmp_path / "blob"
    path.write_bytes(content)
    return read_file(path, name)


def shown(reading: Reading) -> list[tuple[str, str]]:
    return [(block.kind.value, block.text) for block in reading.blocks]


# ── PDF ──


def pdf(*pages: Sequence[tuple[float, float, float, str]], password: str = "") -> bytes:
    """A PDF of pages of (x, y, size, text)."""
    buffer = io.BytesIO()
    encryption = StandardEncryption(password) if password else None
    canvas = Canvas(buffer, pagesize=A4, encrypt=encryption)
    for page in pages:
        for x, y, size, text in page:
            canvas.setFont("Helvetica", size)
            canvas.drawString(x, y, text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_pdf_lines_become_headings_paragraphs_and_rows(tmp_path: Path) -> None:
    first = [
        (50, 800, 20, "Annual Report"),
        (50, 770, 11, "The society met in the old town hall on Monday and decided that"),
        (50, 757, 11, "the annual report would be printed for everybody who has paid."),
        (50, 744, 11, "Nobody objected."),
        (50, 715, 11, "A second paragraph stands lower on the page than the first one."),
        (50, 690, 11, "Paris"),
        (250, 690, 11, "12"),
        (400, 690, 11, "France"),
        (50, 677, 11, "Rome"),
        (250, 677, 11, "7"),
        (400, 677, 11, "Italy"),
    ]
    reading = read(tmp_path, "report.pdf", pdf(first, [(50, 800, 11, "The second page.")]))
    assert shown(reading) == [
        ("heading", "Annual Report"),
        (
            "paragraph",
            "The society met in the old town hall on Monday and decided that the annual report would be printed for"
            " everybody who has paid. Nobody objected.",
        ),
        ("paragraph", "A second paragraph stands lower on the page than the first one."),
        ("table_row", "Paris | 12 | France"),
        ("table_row", "Rome | 7 | Italy"),
        ("paragraph", "The second page."),
    ]
    assert [block.page for block in reading.blocks] == [1, 1, 1, 1, 1, 2]
    assert reading.blocks[-1].heading_path == ("Annual Report",)
    assert reading.warnings == ()
    assert reading.extractor.startswith("pdf/1 pypdfium2 5.")


def test_pdf_tables_name_the_column_of_every_cell_whose_place_is_certain(tmp_path: Path) -> None:
    rows = [
        ("City", "Count", "Country"),
        ("Paris", "12", "France"),
        ("Rome", "", "Italy"),
        ("Oslo", "3 of 7 or more, all", ""),
    ]
    page = [
        (x, 800 - 13 * number, 11, cell)
        for number, row in enumerate(rows)
        for x, cell in zip((50, 250, 300), row, strict=True)
        if cell
    ]
    assert [text for _, text in shown(read(tmp_path, "a.pdf", pdf(page)))] == [
        "City | Count | Country",
        "City: Paris · Count: 12 · Country: France",
        "City: Rome · Country: Italy",
        "Oslo | 3 of 7 or more, all",
    ]


def test_pdf_pages_without_text_are_reported(tmp_path: Path) -> None:
    assert read(tmp_path, "a.pdf", pdf([(50, 800, 11, "Words.")], [])).warnings == ("1 of 2 pages have no text layer.",)
    with pytest.raises(UnreadableFileError, match=r"^a\.pdf has no text layer"):
        read(tmp_path, "a.pdf", pdf([], []))


def test_pdf_under_a_password(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"^a\.pdf is protected by a password: remove it"):
        read(tmp_path, "a.pdf", pdf([(50, 800, 11, "Secret.")], password="x"))


@pytest.mark.parametrize("content", [b"%PDF-1.7\nnothing", pdf([(50, 800, 11, "Words.")])[:300]])
def test_damaged_pdf(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableFileError, match=r"^a\.pdf is a damaged PDF"):
        read(tmp_path, "a.pdf", content)


# ── Word ──


def word_document() -> bytes:
    document = docx.Document()
    document.add_heading("Handbook", 0)
    document.add_heading("Rules", 1)
    document.add_paragraph("Be kind.\nAlways.")
    document.add_paragraph("first", style="List Bullet")
    table = document.add_table(3, 3)
    for row, cells in enumerate([("Name", "Born", "City"), ("Ada", "1815", "London"), ("Grace", "1906", "New York")]):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    table.cell(1, 2).merge(table.cell(2, 2)).text = "London"
    document.add_paragraph("The end.")
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_word_documents_in_document_order(tmp_path: Path) -> None:
    reading = read(tmp_path, "handbook.docx", word_document())
    assert shown(reading) == [
        ("heading", "Handbook"),
        ("heading", "Rules"),
        ("paragraph", "Be kind.\nAlways."),
        ("list_item", "first"),
        ("table_row", "Name: Ada · Born: 1815 · City: London"),
        ("table_row", "Name: Grace · Born: 1906 · City: London"),
        ("paragraph", "The end."),
    ]
    assert reading.blocks[-1].heading_path == ("Handbook", "Rules")
    assert reading.blocks[-1].page is None


def with_body(body: str) -> bytes:
    """A Word document whose body is this XML (prefix w)."""
    source, buffer = zipfile.ZipFile(io.BytesIO(word_document())), io.BytesIO()
    xml = (
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
        ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f"<w:body>{body}</w:body></w:document>"
    )
    with source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.namelist():
            target.writestr(member, xml if member == "word/document.xml" else source.read(member))
    return buffer.getvalue()


def paragraph(inner: str) -> str:
    return f"<w:p><w:r>{inner}</w:r></w:p>"


def test_word_page_breaks_give_pages(tmp_path: Path) -> None:
    body = paragraph("<w:t>one</w:t>") + paragraph("<w:lastRenderedPageBreak/><w:t>two</w:t>")
    body += paragraph("<w:t>two, then </w:t><w:lastRenderedPageBreak/><w:t>three</w:t>") + paragraph("<w:t>three</w:t>")
    reading = read(tmp_path, "a.docx", with_body(body))
    assert [block.page for block in reading.blocks] == [1, 2, 2, 3]


def test_word_text_in_controls_insertions_and_boxes_is_read_once_and_deleted_text_is_not(tmp_path: Path) -> None:
    box = f"<w:txbxContent>{paragraph('<w:t>boxed</w:t>')}</w:txbxContent>"
    body = f"<w:sdt><w:sdtContent>{paragraph('<w:t>controlled</w:t>')}</w:sdtContent></w:sdt>"
    body += (
        "<w:p><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>"
    )
    body += paragraph(
        f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
        "<w:t>around</w:t>"
    )
    assert [text for _, text in shown(read(tmp_path, "a.docx", with_body(body)))] == [
        "controlled",
        "inserted",
        "around",
        "boxed",
    ]


def test_word_entities_from_outside_are_not_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("root:x:0:0")
    document = with_body(paragraph("<w:t>before &f; after</w:t>"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as source, zipfile.ZipFile(buffer, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            if member == "word/document.xml":
                content = f'<!DOCTYPE x [<!ENTITY f SYSTEM "{secret.as_uri()}">]>'.encode() + content
            target.writestr(member, content)
    assert "root" not in "".join(text for _, text in shown(read(tmp_path, "a.docx", buffer.getvalue())))


def test_word_documents_that_unpack_to_too_much_are_refused_before_unpacking(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("word/document.xml", "w") as member,
    ):
        for _ in range(130):
            member.write(b" " * (1 << 20))
    with pytest.raises(UnreadableFileError, match=r"^a\.docx unpacks to more"):
        read(tmp_path, "a.docx", buffer.getvalue())


@pytest.mark.parametrize("keep", [0.5, 0.95])
def test_truncated_word_document(tmp_path: Path, keep: float) -> None:
    content = word_document()
    with pytest.raises(UnreadableFileError, match=r"^a\.docx is damaged or incomplete"):
        read(tmp_path, "a.docx", content[: int(len(content) * keep)])
