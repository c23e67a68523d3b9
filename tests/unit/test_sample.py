"""The sample repository says what its questions claim, and its built documents are what their source builds."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import docx
import pypdfium2
import pytest
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

DATA = Path(__file__).parents[2] / "data"
SAMPLE = DATA / "sample"
BUILT = ("safety-manual.pdf", "volunteer-handbook.docx")
KINDS = {"definition", "number", "date", "yes_no", "how_to", "list", "name", "exception"}
FORMATS = {".txt", ".md", ".html", ".csv", ".pdf", ".docx"}

DOCUMENTS = sorted(path.name for path in SAMPLE.iterdir())
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (DATA / "questions.jsonl").read_text(encoding="utf-8").splitlines()
]
ANSWERABLE = [question for question in QUESTIONS if question["answerable"]]


def normalised(text: str) -> str:
    """One space for any white space, and words whole that a line end had hyphenated."""
    return " ".join(re.sub(r"(\w)-\r?\n(?=[a-z])", r"\1", text).split())


def markup_text(source: str) -> str:
    tree = LexborHTMLParser(source)
    for unseen in tree.css("script, style, nav"):
        unseen.decompose()
    body = tree.body
    assert body is not None
    return body.text(separator="")


def pages_of(path: Path) -> list[str]:
    """The visible text of each page; a format without pages is one page."""
    match path.suffix:
        case ".pdf":
            with pypdfium2.PdfDocument(path) as document:
                return [normalised(page.get_textpage().get_text_range()) for page in document]
        case ".docx":
            return [normalised("\n".join(paragraph.text for paragraph in docx.Document(str(path)).paragraphs))]
        case ".csv":
            with path.open(encoding="utf-8", newline="") as rows:
                rendered = (" · ".join(f"{key}: {value}" for key, value in row.items()) for row in csv.DictReader(rows))
                return [normalised("\n".join(rendered))]
        case ".md":
            return [normalised(markup_text(MarkdownIt().enable("table").render(path.read_text(encoding="utf-8"))))]
        case ".html":
            return [normalised(markup_text(path.read_text(encoding="utf-8")))]
    return [normalised(path.read_text(encoding="utf-8"))]


def build_into(folder: Path) -> None:
    """Runs data/build_sample.py, which is a script and belongs to no package."""
    spec = importlib.util.spec_from_file_location("build_sample", DATA / "build_sample.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    folder.mkdir()
    script.build(folder)


def test_the_repository_is_small_and_holds_every_format() -> None:
    assert 8 <= len(DOCUMENTS) <= 10
    assert {Path(name).suffix for name in DOCUMENTS} == FORMATS
    assert 6_000 <= sum(len(page.split()) for name in DOCUMENTS for page in pages_of(SAMPLE / name)) <= 9_000
    assert max((SAMPLE / name).stat().st_size for name in DOCUMENTS) < 100_000


def test_the_pdf_is_a_booklet_with_numbered_pages() -> None:
    pages = pages_of(SAMPLE / "safety-manual.pdf")
    assert 4 <= len(pages) <= 6
    assert all(f"page {number}" in page for number, page in enumerate(pages, 1))


def test_there_are_forty_answerable_questions_and_ten_that_are_not() -> None:
    assert len(ANSWERABLE) == 40
    unanswerable = [question for question in QUESTIONS if not question["answerable"]]
    assert Counter(question["why"].split(":")[0] for question in unanswerable) == {"off-topic": 5, "near miss": 5}
    assert all(set(question) == {"id", "question", "answerable", "why"} for question in unanswerable)


def test_ids_and_questions_are_unique() -> None:
    assert [question["id"] for question in QUESTIONS] == [f"q{number:02}" for number in range(1, 51)]
    assert len({question["question"].lower() for question in QUESTIONS}) == 50


def test_the_questions_cover_every_document_and_every_kind() -> None:
    asked = Counter(question["document"] for question in ANSWERABLE)
    assert set(asked) == set(DOCUMENTS)
    assert min(asked.values()) >= 3
    assert {question["kind"] for question in ANSWERABLE} == KINDS


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question["id"])
def test_the_passage_stands_in_its_document_exactly_once(question: dict[str, Any]) -> None:
    pages = pages_of(SAMPLE / question["document"])
    assert question["passage"] == normalised(question["passage"])
    found = [number for number, page in enumerate(pages, 1) if question["passage"] in page]
    assert found == [question["page"] or 1]
    assert pages[found[0] - 1].count(question["passage"]) == 1
    assert (question["page"] is not None) == question["document"].endswith(".pdf")


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question["id"])
def test_a_passage_is_a_sentence_or_two_and_the_answer_is_shorter_than_a_page(question: dict[str, Any]) -> None:
    assert 20 <= len(question["passage"]) <= 320
    assert 0 < len(question["answer"]) <= 120


def test_the_numbers_of_an_answer_stand_in_its_passage() -> None:
    for question in ANSWERABLE:
        numbers = re.findall(r"\d+(?:[.:]\d+)*", question["answer"])
        assert [number for number in numbers if number not in question["passage"]] == [], question["id"]


def test_no_passage_stands_in_another_document() -> None:
    texts = {name: " ".join(pages_of(SAMPLE / name)) for name in DOCUMENTS}
    for question in ANSWERABLE:
        assert [name for name, text in texts.items() if question["passage"] in text] == [question["document"]]


def test_the_page_hides_what_a_browser_does_not_show_or_a_reader_skips() -> None:
    source = (SAMPLE / "repair-cafe.html").read_text(encoding="utf-8")
    assert "<script>" in source
    assert "<nav>" in source
    assert "&pound;" in source
    (text,) = pages_of(SAMPLE / "repair-cafe.html")
    assert "dataset" not in text
    assert "£4" in text


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    build_into(tmp_path / "one")
    build_into(tmp_path / "two")
    for name in BUILT:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_committed_documents_are_what_their_source_builds(tmp_path: Path) -> None:
    """Compared by text, since another version of a library may write other bytes."""
    build_into(tmp_path / "built")
    for name in BUILT:
        assert pages_of(tmp_path / "built" / name) == pages_of(SAMPLE / name)
    tables = [
        [
            [cell.text for cell in row.cells]
            for table in docx.Document(str(folder / BUILT[1])).tables
            for row in table.rows
        ]
        for folder in (tmp_path / "built", SAMPLE)
    ]
    assert tables[0] == tables[1]
    assert len(tables[0]) == 7
