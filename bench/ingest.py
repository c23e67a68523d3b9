"""Ingest from upload to published, beside the bare embedding session on the same chunks; and the same files again.

    FOOTNOTE_EVALDATA=<evaluation folder> python -m bench.ingest CACHE [--documents 60] [--rounds 3]

Whatever is not embedding (parsing, cutting, rows, jobs, Chroma, words, publishing) is what keeps the ratio below 1.
Each round uploads other documents to the real service, waits until they can be searched, then embeds the texts of
their chunks in this process with the same priority, and then uploads them again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.figures import load, machine
from bench.library import documents, evaluation_data
from bench.process import Server, footnote
from ingest.context import contextual_texts
from ingest.embedders.load import load_embedder
from ingest.types import Embedder, Passage


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds by the clock and of the processor, for one batch of documents."""

    chunks: int
    ingest_s: float
    ingest_cpu_s: float
    embed_s: float
    embed_cpu_s: float
    again_s: float
    load_average: float


def run_round(server: Server, embedder: Embedder, repository_id: int, files: Mapping[str, str]) -> Round:
    """Ingests, embeds the same chunks, ingests the same again."""
    began, used = time.perf_counter(), server.cpu_s()
    made = server.upload(repository_id, files)
    ingest_s, ingest_cpu_s = time.perf_counter() - began, server.cpu_s() - used
    texts = contextual_texts(list(_passages(server, made)), embedder.tokenizer, embedder.max_tokens)
    began, used = time.perf_counter(), time.process_time()
    embedder.embed(texts, background=True)
    embed_s, embed_cpu_s = time.perf_counter() - began, time.process_time() - used
    began = time.perf_counter()
    again = server.upload(repository_id, files)
    again_s = time.perf_counter() - began
    if not all(document["unchanged"] for document in again):
        raise RuntimeError("the same files were not recognised")
    return Round(len(texts), ingest_s, ingest_cpu_s, embed_s, embed_cpu_s, again_s, load())


def report(rounds: Iterable[Round]) -> dict[str, Any]:
    """Medians of the ratios within each round, and the rounds themselves."""
    seen = list(rounds)
    return {
        "chunks_per_second": round(statistics.median(each.chunks / each.ingest_s for each in seen), 1),
        "of_bare_embedding": round(statistics.median(each.embed_s / each.ingest_s for each in seen), 3),
        "of_bare_embedding_cpu": round(statistics.median(each.embed_cpu_s / each.ingest_cpu_s for each in seen), 3),
        "unchanged_times_faster": round(statistics.median(each.ingest_s / each.again_s for each in seen), 1),
        "rounds": [{name: round(value, 3) for name, value in asdict(each).items()} for each in seen],
    }


def _passages(server: Server, made: Iterable[Mapping[str, Any]]) -> Iterable[Passage]:
    for document in made:
        page = json.loads(server.get(f"/v1/documents/{document['id']}/chunks?limit=1000")[1])
        if page["next_after"] is not None:
            raise RuntimeError(f"document {document['id']} has more than a page of chunks")
        for chunk in page["chunks"]:
            yield Passage(chunk["id"], tuple(chunk["heading_path"]), chunk["content"])


def main() -> None:
    """Measures and prints JSON."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("cache", type=Path)
    options.add_argument("--documents", type=int, default=60, help="in a round")
    options.add_argument("--join", type=int, default=1, help="of the scale set's documents, in one file")
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    models = chosen.cache.resolve() / "models"
    texts = documents(evaluation_data())
    files = [
        (f"{first}.txt", "\n\n".join(texts[first : first + chosen.join])) for first in range(0, len(texts), chosen.join)
    ]
    embedder = load_embedder("minilm", cache_dir=models)
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(models, Path(folder) / "data/models")
        with footnote(Path(folder) / "data") as server:
            repository_id = server.post("/v1/repositories", {"name": "ingest"})["id"]
            server.upload(repository_id, dict(files[-2:]))  # what only the first files cost: a parser's start, imports
            for number in range(chosen.rounds):
                batch = dict(files[number * chosen.documents : (number + 1) * chosen.documents])
                rounds.append(run_round(server, embedder, repository_id, batch))
    embedder.close()
    print(json.dumps({**machine(), "documents": chosen.documents, "join": chosen.join, **report(rounds)}, indent=1))


if __name__ == "__main__":
    main()
