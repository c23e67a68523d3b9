"""Search in three of 25 repositories with a limit and a threshold: ours beside Chroma's two ways.

    FOOTNOTE_EVALDATA=<evaluation folder> python -m bench.search CACHE [--sizes 10000 100000]

10,000 chunks are real (bench/library.py). For 100,000 each real vector stands for a cluster: it is copied nine times
with Gaussian noise of half its length added (cosine with the original about .89), within its repository; the words
are those of other passages of the scale set. Every round asks each way the same questions, one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.retrieval import Retriever
from app.core.types import Caller, Hit, Retrieval
from bench.chroma_peers import CollectionEach, Found, OneCollection
from bench.figures import load, machine, median_ratio, percentiles
from bench.library import SEARCHED, SEED, Library, evaluation_data, passages, prepare, questions, read
from ingest.embedders.load import load_embedder
from ingest.indexes.exact import ExactIndex
from ingest.indexes.tantivy_words import TantivyIndex
from ingest.types import Embedder, Scope, Tokenizer, Vectors

LIMIT, THRESHOLD = 5, 0.2
OURS, WHOLE = "ours, vectors", "ours, vectors and words, fused"
NOISE = 0.5  # the length of what is added to a unit vector
CALLER = Caller(1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and its vector."""

    text: str
    vector: Vectors


Search = Callable[[Asked], Found]


@dataclass
class Measured:
    """What one way did, over the rounds."""

    p50: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)


class KnownQuestions:
    """The embedder without its model's work: the vectors of questions that were embedded before."""

    def __init__(self, embedder: Embedder, asked: Sequence[Asked]) -> None:
        self.name, self.dimensions, self.max_tokens = embedder.name, embedder.dimensions, embedder.max_tokens
        self.fingerprint = embedder.fingerprint
        self.tokenizer: Tokenizer = embedder.tokenizer
        self._known = {each.text: each.vector for each in asked}

    def embed(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        """As Embedder; raises KeyError for a question that is not known. Nothing to yield to in `background`."""
        return np.stack([self._known[text] for text in texts])


class MemoryShelf:
    """Repositories and chunks in memory instead of in SQL: what is left is the search itself."""

    def __init__(self, library: Library) -> None:
        rows = zip(library.ids, library.repository_ids, library.texts, strict=True)
        self._hits = {
            int(each): Hit(int(each), 1, int(owner), "a", text, 0, len(text), "", 0.0) for each, owner, text in rows
        }

    def scopes_now(self, caller: Caller, repository_ids: Sequence[int]) -> tuple[Scope, ...]:
        return tuple(Scope(each, 1) for each in repository_ids)

    def hits_now(self, caller: Caller, scores: Mapping[int, float]) -> list[Hit]:
        return [self._hits[each] for each in scores]

    async def load(self, caller: Caller, repository_id: int) -> None:
        raise AssertionError(f"repository {repository_id} is not in memory")


def grow(library: Library, size: int, texts: Sequence[str]) -> Library:
    """A library of `size` chunks around the real ones; `texts` are the words of the others."""
    chance = np.random.default_rng(SEED)
    real = len(library.ids)
    parents = np.arange(real, size) % real
    noise = chance.standard_normal((len(parents), library.vectors.shape[1]), dtype=np.float32)
    noise *= NOISE / np.linalg.norm(noise, axis=1, keepdims=True)
    copies = library.vectors[parents] + noise
    copies /= np.linalg.norm(copies, axis=1, keepdims=True)
    return Library(
        np.arange(1, size + 1),
        np.concatenate([library.repository_ids, library.repository_ids[parents]]),
        np.concatenate([library.vectors, copies]),
        (*library.texts, *texts[: len(parents)]),
    )


def in_memory(library: Library) -> ExactIndex:
    """Our index, one snapshot a repository."""
    index = ExactIndex(library.vectors.shape[1])
    for number in np.unique(library.repository_ids):
        mine = library.repository_ids == number
        index.load(Scope(int(number), 1), library.ids[mine].tolist(), library.vectors[mine])
    return index


def brute_force(library: Library, asked: Asked) -> set[int]:
    """The ids that are right: a float64 product with every vector of the searched repositories."""
    mine = np.flatnonzero(np.isin(library.repository_ids, SEARCHED))
    scores = library.vectors[mine].astype(np.float64) @ asked.vector.astype(np.float64)
    best = np.argsort(-scores, kind="stable")[:LIMIT]
    return {int(library.ids[mine[row]]) for row in best if scores[row] >= THRESHOLD}


def measure(
    ways: Mapping[str, Search], asked: Sequence[Asked], right: Sequence[set[int]], rounds: int
) -> dict[str, Measured]:
    """Asks every question in every way, in turns; the first round only warms."""
    measured = {way: Measured() for way in ways}
    for number in range(rounds + 1):
        for way, search in ways.items():
            times = []
            for each, truth in zip(asked, right, strict=True):
                began = time.perf_counter()
                found = search(each)
                times.append((time.perf_counter() - began) * 1000)
                if truth:
                    measured[way].recall.append(len(truth & {chunk_id for chunk_id, _ in found}) / len(truth))
            if number:
                measured[way].p50.append(statistics.median(times))
                measured[way].milliseconds.extend(times)
    return measured


def compare(library: Library, asked: Sequence[Asked], embedder: Embedder, folder: Path, rounds: int) -> dict[str, Any]:
    """All ways over one library; Chroma's folders are kept in `folder`."""
    index, scopes = in_memory(library), [Scope(number, 1) for number in SEARCHED]
    one = OneCollection(folder / f"chroma-where-{len(library.ids)}", library)
    each = CollectionEach(folder / f"chroma-each-{len(library.ids)}", library)
    shelf, retrieval = MemoryShelf(library), Retrieval(SEARCHED, LIMIT, THRESHOLD)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(2) as executor, asyncio.Runner() as runner:
        words = TantivyIndex(Path(scratch))
        for number in np.unique(library.repository_ids):
            rows = np.flatnonzero(library.repository_ids == number)
            words.upsert(int(number), library.ids[rows].tolist(), [library.texts[row] for row in rows])
        known = KnownQuestions(embedder, asked)
        retriever = Retriever(shelf, shelf, shelf, index, words, known, executor)

        def exact(question: Asked) -> Found:
            found = index.search(scopes, question.vector, LIMIT, THRESHOLD)
            return [(match.chunk_id, match.score) for match in found.matches if match.score >= THRESHOLD]

        def whole(question: Asked) -> Found:
            found = runner.run(retriever.retrieve(CALLER, question.text, retrieval))
            return [(hit.chunk_id, hit.score) for hit in found.hits]

        ways: dict[str, Search] = {
            OURS: exact,
            WHOLE: whole,
            "Chroma, where": lambda question: one.search(question.vector, SEARCHED, LIMIT, THRESHOLD),
            "Chroma, a collection each": lambda question: each.search(question.vector, SEARCHED, LIMIT, THRESHOLD),
        }
        measured = measure(ways, asked, [brute_force(library, question) for question in asked], rounds)
        words.close()
    ours = measured[OURS]
    whole_p50 = measured[WHOLE].p50
    return {
        "chunks": len(library.ids),
        "searched": int(np.isin(library.repository_ids, SEARCHED).sum()),
        "load_average": load(),
        "ways": {
            way: {
                **percentiles(seen.milliseconds),
                # Words rank anew: what they bring up is not wrong because its cosine is not among the best.
                "recall": None if way == WHOLE else round(statistics.fmean(seen.recall), 4),
                "least_recall": None if way == WHOLE else round(min(seen.recall), 2),
                "times_ours": median_ratio(seen.p50, ours.p50),
                "times_ours_whole": median_ratio(seen.p50, whole_p50),
            }
            for way, seen in measured.items()
        },
    }


def embed(embedder: Embedder, texts: Sequence[str]) -> list[Asked]:
    """Questions with their vectors."""
    vectors: NDArray[np.float32] = embedder.embed(texts)
    return [Asked(text, vector) for text, vector in zip(texts, vectors, strict=True)]


def main() -> None:
    """Measures every size and prints JSON."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("cache", type=Path)
    options.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    options.add_argument("--real", type=int, default=10_000, help="chunks of the prepared library")
    options.add_argument("--questions", type=int, default=100)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    cache, evaldata = chosen.cache.resolve(), evaluation_data()
    library = read(prepare(cache, evaldata, chosen.real))
    others = [passage["text"] for passage in islice(passages(evaldata), max(chosen.sizes))]
    embedder = load_embedder("minilm", cache_dir=cache / "models")
    asked = embed(embedder, questions(evaldata, chosen.questions))
    results = []
    for size in chosen.sizes:
        grown = grow(library, size, others) if size > len(library.ids) else library
        results.append(compare(grown, asked, embedder, cache, chosen.rounds))
    embedder.close()
    print(json.dumps({**machine(), "rounds": chosen.rounds, "sizes": results}, indent=1))


if __name__ == "__main__":
    main()
