"""Is every chunk a slice of its document's text? Read back through the API, for every set of the evaluation data.

    FOOTNOTE_EVALDATA=<evaluation folder> python -m bench.offsets [--only squad2 ...] [--documents 1000]

Each set is a repository of a fresh service. Checked are all chunks of every document, and those that the set's own
questions find: `text[start:end] == content`, and the hash of the text that both name. The embedder is `hashing`, for
speed: where the cuts are depends on a tokenizer, whether they are exact must not. Exits 1 at a single wrong one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.figures import machine
from bench.library import evaluation_data
from bench.process import Server, footnote

UPLOAD = 100  # files at once
LIMIT = 10  # chunks a question


@dataclass
class Checked:
    """What was looked at in one set, and what was wrong."""

    of: int  # documents the set has
    documents: int = 0
    chunks: int = 0
    questions: int = 0
    found: int = 0  # chunks that the questions brought back
    wrong: list[str] = field(default_factory=list)


def sets(evaldata: Path) -> dict[str, Path]:
    """Every folder with a corpus, by its name below the evaluation folder."""
    return {str(each.parent.relative_to(evaldata)): each.parent for each in sorted(evaldata.rglob("corpus.jsonl"))}


def check_set(server: Server, name: str, folder: Path, documents: int, questions: int) -> Checked:
    """Ingests the first `documents` of a set and checks whatever the API says about them."""
    corpus = list(_lines(folder / "corpus.jsonl"))
    checked = Checked(len(corpus))
    repository_id = server.post("/v1/repositories", {"name": name})["id"]
    texts: dict[int, str] = {}
    for first in range(0, min(documents, len(corpus)), UPLOAD):
        files = {f"{row}.txt": corpus[row]["text"] for row in range(first, min(first + UPLOAD, documents, len(corpus)))}
        for document in server.upload(repository_id, {name: text for name, text in files.items() if text.strip()}):
            if document["id"] not in texts:  # the same text twice is one document
                texts[document["id"]] = _check_document(server, document, checked)
    queries = folder / "queries.jsonl"
    for question in list(_lines(queries))[:questions] if queries.exists() else []:
        _check_question(server, repository_id, question["text"], texts, checked)
    return checked


def _check_document(server: Server, document: dict[str, Any], checked: Checked) -> str:
    headers, content = server.get(f"/v1/documents/{document['id']}/text")
    text, sha256 = content.decode(), hashlib.sha256(content).hexdigest()
    checked.documents += 1
    if headers["etag"] != f'"{sha256}"' or document["text_sha256"] != sha256:
        checked.wrong.append(f"document {document['id']}: its text has another hash than it says")
    after: int | None = -1
    seen = 0
    while after is not None:
        query = f"limit=1000&after={after}" if after >= 0 else "limit=1000"
        page = json.loads(server.get(f"/v1/documents/{document['id']}/chunks?{query}")[1])
        for chunk in page["chunks"]:
            seen += 1
            if text[chunk["start"] : chunk["end"]] != chunk["content"] or not chunk["content"]:
                checked.wrong.append(f"document {document['id']}, chunk {chunk['id']}")
        after = page["next_after"]
    checked.chunks += seen
    if seen != document["chunk_count"]:
        checked.wrong.append(f"document {document['id']}: {seen} chunks of {document['chunk_count']}")
    return text


def _check_question(server: Server, repository_id: int, question: str, texts: dict[int, str], checked: Checked) -> None:
    search = {"ids": [repository_id], "limit": LIMIT, "similarity_threshold": 0.0}
    chunks = server.post("/v1/retrieve", {"query": question, "repositories": search})["document_chunks"]
    checked.questions += 1
    checked.found += len(chunks)
    for chunk in chunks:
        text = texts[chunk["document_id"]]
        same = text[chunk["start"] : chunk["end"]] == chunk["content"]
        if not same or chunk["text_sha256"] != hashlib.sha256(text.encode()).hexdigest():
            checked.wrong.append(f"question {question!r}, document {chunk['document_id']}")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def main() -> None:
    """Checks every set, prints JSON, and exits 1 if anything was wrong."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    evaldata = evaluation_data()
    known = sets(evaldata)
    options.add_argument("--only", nargs="*", choices=known, default=list(known), metavar="SET")
    options.add_argument("--documents", type=int, default=1_000, help="the first so many of each set")
    options.add_argument("--questions", type=int, default=200, help="the first so many of each set")
    options.add_argument("--embedder", default="hashing")
    chosen = options.parse_args()
    results: dict[str, Checked] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        footnote(Path(folder) / "data", environment={"FOOTNOTE_EMBEDDER": chosen.embedder}) as server,
    ):
        for name in chosen.only:
            results[name] = checked = check_set(server, name, known[name], chosen.documents, chosen.questions)
            print(
                f"{name}: {checked.chunks} chunks, {checked.found} found, {len(checked.wrong)} wrong", file=sys.stderr
            )
    chunks, found, wrong = (
        sum(each.chunks for each in results.values()),
        sum(each.found for each in results.values()),
        sum(len(each.wrong) for each in results.values()),
    )
    total = {"chunks": chunks, "found": found, "wrong": wrong}
    print(
        json.dumps(
            {**machine(), "total": total, "sets": {name: asdict(each) for name, each in results.items()}}, indent=1
        )
    )
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
