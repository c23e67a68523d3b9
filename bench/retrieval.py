"""How well the right passage is found: every ranked evaluation set, through the real chunker, indexes and fusion.

    FOOTNOTE_EVALDATA=<evaluation folder> python -m bench.retrieval CACHE [SET ...]

Downloads nothing. Each document is cut as an upload would be (its title as a heading), embedded by the default model
and put into both indexes; each question brings chunks, the first of a document counts for it. Printed beside the
published figures of the same model and of BM25; the two legs alone stand beside the hybrid. Embeddings are kept in
CACHE by the hash of their text, so that a second run takes seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import math
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from app.core.fluency import fluency
from app.core.fusion import fuse
from app.core.retrieval import embed_question
from bench.figures import machine
from bench.library import evaluation_data
from ingest.chunker import chunk_text
from ingest.context import contextual
from ingest.embedders.load import ClosableEmbedder, load_embedder
from ingest.indexes.exact import ExactIndex
from ingest.indexes.tantivy_words import TantivyIndex
from ingest.text import join_blocks
from ingest.types import Block, BlockKind, Passage, Scope, Vectors

TARGET_TOKENS = 200
BROUGHT = 100  # chunks a question brings
WHERE = Scope(1, 1)
K = 10


@dataclass(frozen=True, slots=True)
class Published:
    """nDCG@10 of others on a set."""

    minilm: float | None
    bm25: float | None
    other: str
    goal: float


SETS: Mapping[str, Published] = {
    "scifact": Published(0.645, 0.687, "txtai hybrid .713, OpenAI file_search .717", 0.73),
    "xquad/en": Published(0.944, 0.965, "RRF .966", 0.97),
    "xquad/zh": Published(0.242, 0.963, "BM25 with character bigrams", 0.95),
    "xquad/ar": Published(0.038, 0.888, "", 0.88),
    "xquad/ru": Published(0.216, 0.871, "", 0.87),
    "xquad/es": Published(0.632, 0.952, "", 0.95),
    "xquad/de": Published(0.703, 0.925, "", 0.92),
    "anthropic_docs": Published(0.683, 0.714, "RRF .788", 0.82),
    "legal_summarization": Published(0.590, 0.597, "RRF .637", 0.66),
}


class Remembered:
    """Embeds through a file that remembers: texts are embedded once, whatever is tried with them afterwards."""

    def __init__(self, embedder: ClosableEmbedder, file: Path) -> None:
        self._embedder = embedder
        self._kept = sqlite3.connect(file)
        self._kept.execute("CREATE TABLE IF NOT EXISTS vectors (key TEXT PRIMARY KEY, vector BLOB)")
        self.name, self.dimensions, self.max_tokens = embedder.name, embedder.dimensions, embedder.max_tokens
        self.tokenizer, self.fingerprint = embedder.tokenizer, embedder.fingerprint

    def embed(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions)."""
        keys = [hashlib.sha256(f"{self.fingerprint}\0{text}".encode()).hexdigest() for text in texts]
        found = {key: self._get(key) for key in keys}
        missing = [at for at, key in enumerate(keys) if found[key] is None]
        for start in range(0, len(missing), 256):
            batch = missing[start : start + 256]
            for at, vector in zip(batch, self._embedder.embed([texts[at] for at in batch]), strict=True):
                found[keys[at]] = vector
                self._kept.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?)", (keys[at], vector.tobytes()))
            self._kept.commit()
            if len(missing) > 256:
                print(f"\r{start + len(batch)} of {len(missing)} embedded", end="", file=sys.stderr, flush=True)
        vectors = [vector for key in keys if (vector := found[key]) is not None]
        return np.stack(vectors) if vectors else np.zeros((0, self.dimensions), np.float32)

    def _get(self, key: str) -> Vectors | None:
        row = self._kept.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
        return None if row is None else np.frombuffer(row[0], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Indexed:
    """A set's corpus, searchable."""

    owners: Sequence[str]  # document id of chunk n
    snapshots: ExactIndex
    words: TantivyIndex


def scorers(evaldata: Path) -> ModuleType:
    """The evaluation folder's own metrics."""
    spec = importlib.util.spec_from_file_location("metrics", evaldata / "tools/metrics.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(evaldata / "tools/metrics.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(title: str, text: str) -> list[Block]:
    """A document as a reader of Markdown would bring it: the title is a heading, empty lines part paragraphs."""
    path = (title,) if title else ()
    found = [Block(title, BlockKind.HEADING, heading_path=path)] if title else []
    return found + [Block(part.strip(), heading_path=path) for part in text.split("\n\n") if part.strip()]


def index(corpus: Mapping[str, Mapping[str, str]], embedder: Remembered, folder: Path) -> Indexed:
    """Cuts, embeds and indexes every document."""
    owners: list[str] = []
    texts: list[str] = []
    for document_id, document in corpus.items():
        canonical = join_blocks(blocks(document["title"], document["text"]), "bench")
        for span in chunk_text(canonical, embedder.tokenizer, embedder.max_tokens, TARGET_TOKENS):
            passage = Passage(len(owners), span.heading_path, canonical.text[span.start : span.end])
            texts.append(contextual(passage, embedder.tokenizer, embedder.max_tokens))
            owners.append(document_id)
    snapshots = ExactIndex(embedder.dimensions)
    snapshots.load(WHERE, range(len(owners)), embedder.embed(texts))
    words = TantivyIndex(folder)
    words.upsert(WHERE.repository_id, range(len(owners)), texts)
    return Indexed(owners, snapshots, words)


def ranked(found: Indexed, question: str, embedder: Remembered) -> dict[str, list[str]]:
    """The documents that each way brings for a question, best first."""
    query = embed_question(embedder, question)
    dense = found.snapshots.search((WHERE,), query, BROUGHT, -math.inf).matches
    lexical = found.words.search([WHERE.repository_id], question, BROUGHT)
    cosines = {match.chunk_id: match.score for match in dense}
    lifted = [match.chunk_id for match in lexical.matches if match.chunk_id not in cosines]
    cosines.update(found.snapshots.scores((WHERE,), query, lifted))
    fused = fuse(cosines, lexical, fluency(question, embedder.tokenizer))
    return {
        "dense": documents(found, (match.chunk_id for match in dense)),
        "lexical": documents(found, (match.chunk_id for match in lexical.matches)),
        "hybrid": documents(found, (each.chunk_id for each in fused)),
    }


def documents(found: Indexed, chunk_ids: Iterable[int]) -> list[str]:
    """Whose chunks these are, each once."""
    return list(dict.fromkeys(found.owners[chunk_id] for chunk_id in chunk_ids))


def measure(name: str, evaldata: Path, embedder: Remembered) -> dict[str, float]:
    """nDCG@10 and recall@10 of each way on a set."""
    metrics = scorers(evaldata)
    corpus, queries, qrels = metrics.load_set(evaldata / name)
    wanted = {each: text for each, text in queries.items() if each in qrels}
    with tempfile.TemporaryDirectory() as folder:
        found = index(corpus, embedder, Path(folder))
        embedder.embed(list(wanted.values()))
        runs: dict[str, dict[str, list[str]]] = {"dense": {}, "lexical": {}, "hybrid": {}}
        for query_id, text in wanted.items():
            for way, brought in ranked(found, text, embedder).items():
                runs[way][query_id] = brought
        found.words.close()
    scores = {way: metrics.rank_scores(run, {q: qrels[q] for q in wanted}, ks=(K,)) for way, run in runs.items()}
    return {"chunks": len(found.owners), "questions": len(wanted)} | {
        f"{way} {metric}": round(each[f"{metric}@{K}"], 4)
        for way, each in scores.items()
        for metric in ("ndcg", "recall")
    }


def main() -> None:
    """Prints a table to look at, then JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("sets", nargs="*", default=list(SETS))
    arguments = parser.parse_args()
    evaldata = evaluation_data()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    minilm = load_embedder("all-MiniLM-L6-v2", cache_dir=arguments.cache / "models")
    embedder = Remembered(minilm, arguments.cache / "embeddings.sqlite")
    measured: dict[str, dict[str, float]] = {}
    print(f"\n{'nDCG@10':22}{'dense':>8}{'lexical':>9}{'hybrid':>8}{'goal':>7}   published: MiniLM, BM25, others")
    for name in arguments.sets:
        measured[name] = figures = measure(name, evaldata, embedder)
        known = SETS[name]
        print(
            f"{name:22}{figures['dense ndcg']:8.3f}{figures['lexical ndcg']:9.3f}{figures['hybrid ndcg']:8.3f}"
            f"{known.goal:7.2f}   {known.minilm}, {known.bm25} {known.other}"
        )
    minilm.close()
    print(json.dumps({**machine(), "sets": measured}, indent=2))


if __name__ == "__main__":
    main()
