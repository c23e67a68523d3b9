"""Kills the real service with -9 at seeded points of an ingest, and counts afterwards what each store holds."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.e2e.process import Served, start

UPLOAD_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What is there when the last job has ended and the service is stopped."""

    states: Counter[str]
    documents: int
    sql: list[int]  # ids of the chunks of published versions
    unpublished: int  # chunks of no published version
    vectors: list[int]
    words: list[int]
    slices: bool  # every chunk is the slice of its text that it says it is
    gaps: bool  # some document's chunks are not numbered 0, 1, 2, ...
    restarts_s: list[float]  # from each start to the moment it listened

    def faults(self, documents: int) -> list[str]:
        """Everything that is missing, double or wrong; empty when all is well."""
        wanted = sorted(self.sql)
        found = {
            "not all jobs are completed": self.states != Counter({"completed": documents}),
            "documents are missing or double": self.documents != documents,
            "chunks of no published version are left": self.unpublished > 0,
            "Chroma has other chunks than SQL": sorted(self.vectors) != wanted,
            "the word index has other chunks than SQL": sorted(self.words) != wanted,
            "a chunk is no slice of its text": not self.slices,
            "a document misses a chunk": self.gaps,
        }
        return [what for what, is_so in found.items() if is_so]


def text_of(number: int, chance: random.Random) -> bytes:
    """A small document of some ten chunks, unlike every other."""
    words = ["otter", "ladder", "harbour", "violet", "engine", "lantern", "meadow", "copper", "winter", "signal"]
    paragraphs = (f"Part {part} of document {number}: {' '.join(chance.choices(words, k=150))}." for part in range(10))
    return "\n\n".join(paragraphs).encode()


def kill_and_restart(data: Path, documents: int, kills: int, seed: int, **settings: str) -> Aftermath:
    """Uploads `documents` files and kills the service `kills` times while it works on them.

    A kill falls when a seeded number of jobs is done, plus a seeded moment of up to 0.3 s within the next; it may
    therefore also fall into the start of a service that has only just been started again.
    """
    chance = random.Random(seed)
    points = sorted(chance.sample(range(documents - 2), kills))
    restarts: list[float] = []
    served = _start(data, restarts, settings)
    try:
        with served.client() as client:
            repository = client.post("/v1/repositories", json={"name": "Killed"}).json()["id"]
            jobs = _upload(client, repository, documents, chance)
        for point in points:
            with served.client() as client:
                _wait_until(client, repository, point)
            with contextlib.suppress(Exception):
                served.process.wait(chance.uniform(0, 0.3))
            served.process.kill()
            assert served.stop() == -signal.SIGKILL
            served.close()
            served = _start(data, restarts, settings)
        with served.client() as client:
            states = Counter(_last_state(client, job) for job in jobs)
        assert served.stop() == 0, served.output
    finally:
        served.process.kill()
        served.stop()
        served.close()
    return _look(data, states, restarts)


def _start(data: Path, restarts: list[float], settings: dict[str, str]) -> Served:
    began = time.monotonic()
    served = start(data, **settings)
    restarts.append(time.monotonic() - began)
    return served


def _upload(client: httpx2.Client, repository: int, documents: int, chance: random.Random) -> list[int]:
    jobs = []
    for first in range(0, documents, UPLOAD_AT_ONCE):
        numbers = range(first, min(documents, first + UPLOAD_AT_ONCE))
        files = [("file", (f"{number}.txt", text_of(number, chance))) for number in numbers]
        taken = client.post(f"/v1/repositories/{repository}/documents", files=files).raise_for_status().json()
        jobs += [document["job"]["id"] for document in taken["documents"]]
    return jobs


def _wait_until(client: httpx2.Client, repository: int, done: int) -> None:
    """Returns when more than `done` documents can be searched."""
    while True:
        documents = client.get(f"/v1/repositories/{repository}/documents", params={"limit": 1000}).json()["documents"]
        if sum(document["text_sha256"] is not None for document in documents) > done:
            return


def _last_state(client: httpx2.Client, job: int) -> str:
    events = client.get(f"/v1/jobs/{job}/events", timeout=300).text
    return events.rstrip().split("\n\n")[-1].split("\n")[0].removeprefix("event: ")


def _look(data: Path, states: Counter[str], restarts: list[float]) -> Aftermath:
    with contextlib.closing(sqlite3.connect(data / "footnote.sqlite")) as database:
        rows = database.execute(
            'SELECT c.id, c.document_id, c.ordinal, c.start, c."end", c.content, t.text FROM chunks c '
            "JOIN documents d ON d.version_id = c.version_id JOIN texts t ON t.version_id = c.version_id"
        ).fetchall()
        (chunks,) = database.execute("SELECT count(*) FROM chunks").fetchone()
        (documents,) = database.execute("SELECT count(*) FROM documents").fetchone()
    ordinals: dict[int, list[int]] = {}
    for _, document, ordinal, *_ in rows:
        ordinals.setdefault(document, []).append(ordinal)
    return Aftermath(
        states=states,
        documents=documents,
        sql=[row[0] for row in rows],
        unpublished=chunks - len(rows),
        vectors=_vector_ids(data),
        words=_word_ids(data),
        slices=all(text[start:end] == content for *_, start, end, content, text in rows),
        gaps=len(ordinals) != documents or any(sorted(each) != list(range(len(each))) for each in ordinals.values()),
        restarts_s=restarts,
    )


def _vector_ids(data: Path) -> list[int]:
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(path=str(data / "chroma"), settings=Settings(anonymized_telemetry=False))
    ids = [int(each) for collection in client.list_collections() for each in collection.get(include=[])["ids"]]
    client.close()
    return ids


def _word_ids(data: Path) -> list[int]:
    import tantivy

    (folder,) = (data / "words").iterdir()
    searcher = tantivy.Index.open(str(folder)).searcher()
    hits = searcher.search(tantivy.Query.all_query(), limit=1_000_000).hits
    return [int(searcher.doc(address)["id"][0]) for _, address in hits]
