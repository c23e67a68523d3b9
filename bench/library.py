"""The library that the benchmarks search: 25 repositories of real passages, ingested once by the real service.

    FOOTNOTE_EVALDATA=<evaluation folder> python -m bench.library CACHE [--chunks 10000]

The scale set's passages are put together again into documents; a document goes to repository r with a chance
proportional to 1/r, so that the sizes are as uneven as in life. The searched three hold a fifth of all chunks.
Prepared once per index fingerprint, in minutes: the folder is the service's own data folder, to be copied and never
served from.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import random
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.process import footnote
from ingest.chunker import VERSION as CHUNKER_VERSION
from ingest.context import VERSION as CONTEXT_VERSION
from ingest.embedders.load import load_embedder
from ingest.indexes.chroma import ChromaVectorStore
from ingest.types import Vectors

REPOSITORIES = 25
SEARCHED = (2, 5, 12)
UPLOAD = 10  # files at once, all into one repository
SEED = 7


@dataclass(frozen=True, slots=True)
class Library:
    """What is in it, row by row; ids ascend."""

    ids: NDArray[np.int64]
    repository_ids: NDArray[np.int64]  # 1..25
    vectors: Vectors
    texts: tuple[str, ...]


def evaluation_data() -> Path:
    """The folder in FOOTNOTE_EVALDATA; exits with a word about it when it is not set."""
    folder = os.environ.get("FOOTNOTE_EVALDATA")
    if not folder:
        sys.exit("Set FOOTNOTE_EVALDATA to the evaluation folder (the one that holds scale/passages_100k.jsonl.gz).")
    return Path(folder)


def passages(evaldata: Path) -> Iterator[dict[str, Any]]:
    """The scale set, in its order: {id, title, text}; an id ends in `~` and the passage's number in its document."""
    with gzip.open(evaldata / "scale/passages_100k.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def documents(evaldata: Path) -> list[str]:
    """The scale set's documents, each from all its passages, shuffled by a fixed seed."""
    grouped = groupby(passages(evaldata), lambda passage: passage["id"].rpartition("~")[0])
    found = [" ".join(passage["text"] for passage in group) for _, group in grouped]
    random.Random(SEED).shuffle(found)
    return found


def questions(evaldata: Path, count: int) -> list[str]:
    """Questions that people asked, of MedQuAD, in a fixed order."""
    lines = (evaldata / "medquad/queries.jsonl").read_text(encoding="utf-8").splitlines()
    chosen = random.Random(SEED).sample(lines, count)
    return [json.loads(line)["text"] for line in chosen]


def prepare(cache: Path, evaldata: Path, chunks: int) -> Path:
    """The data folder of a service with at least `chunks` chunks; made when it is not there yet."""
    ready = cache / f"library-{chunks}-{_fingerprint(cache)}"
    if ready.exists():
        return ready
    making = ready.with_name(ready.name + ".new")
    shutil.rmtree(making, ignore_errors=True)
    shutil.copytree(cache / "models", making / "models")
    chance = random.Random(SEED)
    weights = [1 / rank for rank in range(1, REPOSITORIES + 1)]
    waiting = iter(enumerate(documents(evaldata)))
    with footnote(making) as server:
        for number in range(1, REPOSITORIES + 1):
            server.post("/v1/repositories", {"name": f"repository {number}"})
        count = 0
        while count < chunks:
            [repository_id] = chance.choices(range(1, REPOSITORIES + 1), weights)
            batch = {f"{number}.txt": text for number, text in islice(waiting, UPLOAD)}
            made = server.upload(repository_id, batch)
            count += sum(document["chunk_count"] for document in made if not document["unchanged"])
            print(f"\r{count} of {chunks} chunks", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    making.rename(ready)
    return ready


def read(folder: Path) -> Library:
    """Everything searchable in a prepared data folder."""
    database = sqlite3.connect(f"file:{folder / 'footnote.sqlite'}?mode=ro", uri=True)
    query = (
        "SELECT c.id, c.repository_id, c.content FROM chunks c JOIN documents d ON d.version_id = c.version_id "
        "ORDER BY c.id"
    )
    rows = database.execute(query).fetchall()
    [fingerprint] = database.execute("SELECT DISTINCT fingerprint FROM repositories WHERE fingerprint <> ''").fetchone()
    database.close()
    ids = [row[0] for row in rows]
    store = ChromaVectorStore(fingerprint, folder=folder / "chroma")
    found = store.fetch(ids)
    store.close()
    return Library(
        np.array(ids),
        np.array([row[1] for row in rows]),
        np.stack([found[each] for each in ids]),
        tuple(row[2] for row in rows),
    )


def _fingerprint(cache: Path) -> str:
    embedder = load_embedder("minilm", cache_dir=cache / "models")
    embedder.close()
    return hashlib.sha256(f"{embedder.fingerprint}|{CHUNKER_VERSION}|{CONTEXT_VERSION}".encode()).hexdigest()[:8]


def main() -> None:
    """Prepares, and says what is in it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("cache", type=Path)
    options.add_argument("--chunks", type=int, default=10_000)
    chosen = options.parse_args()
    folder = prepare(chosen.cache.resolve(), evaluation_data(), chosen.chunks)
    library = read(folder)
    sizes = {int(number): int((library.repository_ids == number).sum()) for number in range(1, REPOSITORIES + 1)}
    print(json.dumps({"folder": str(folder), "chunks": len(library.ids), "by_repository": sizes}))


if __name__ == "__main__":
    main()
