"""Our embedders beside their peers: bulk chunks a second, processor time a question, memory, and the machine's limit.

    FOOTNOTE_EVALDATA=<evaluation folder> python -m bench.embedding [--rounds 5] [--out embedding.json]

Every variant is one process that stays; a round asks each of them in turn, so that a noisy neighbour hurts all alike.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ingest.embedders.bert_config import read_bert_config
from ingest.embedders.weights import find_minilm
from ingest.embedders.word_pieces import WordPieces, read_word_pieces

ROOT = Path(__file__).parents[1]
PEER = ROOT / ".peers/sentence-transformers/bin/python"
WORKER = ROOT / "bench/embedding_worker.py"
TOKENS = 168  # of a chunk: the mean of a corpus of documentation cut at 200
REFERENCE = "sentence-transformers"
VARIANTS = {
    "ours fp32": Path(sys.executable),
    "ours int8": Path(sys.executable),
    REFERENCE: PEER,
    "sentence-transformers, batch 8": PEER,
    "sentence-transformers, batch 8, 1 thread": PEER,
    "fastembed": PEER,
    "fastembed, batch 1": PEER,
    "Chroma's default": Path(sys.executable),
}
TOKENIZER_FILES = ("config.json", "special_tokens_map.json", "tokenizer_config.json", "tokenizer.json", "vocab.txt")


class Worker:
    """One variant's process."""

    def __init__(self, variant: str, python: Path, scratch: Path, model: Path) -> None:
        command = [str(part) for part in (python, WORKER, variant, scratch, model)]
        self._log = (scratch / f"{variant}.log").open("w+")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        self.load_seconds: float = self._answer()["load_seconds"]

    def ask(self, **job: Any) -> dict[str, Any]:
        """Sends a job and waits for its answer; raises RuntimeError if the process ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def stop(self) -> None:
        """Ends the process."""
        self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(" ".join(self._log.read().strip().splitlines()[-1:]) or "ended without a word")
        answer: dict[str, Any] = json.loads(line)
        return answer


@dataclass
class Measured:
    """What one variant did, over the rounds."""

    load_seconds: float
    chunks_per_second: list[float] = field(default_factory=list)
    chunks_per_cpu_second: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    rss_mb: float = 0.0
    cosine: float = 0.0  # of one chunk, with the reference


def chunks(evaldata: Path, tokenizer: WordPieces) -> Iterator[str]:
    """Texts of `TOKENS` tokens, joined from the passages of the scale set."""
    text = ""
    with gzip.open(evaldata / "scale/passages_100k.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            text = f"{text} {json.loads(line)['text']}".strip()
            offsets = tokenizer.offsets(text)
            if len(offsets) >= TOKENS:
                yield text[: offsets[TOKENS - 1][1]]
                text = ""


def flops(model: Path) -> float:
    """Floating point operations of one chunk, special tokens included."""
    config = read_bert_config(model)
    wide = json.loads((model / "config.json").read_text())["intermediate_size"]
    tokens = TOKENS + 2
    dense = 2 * tokens * (4 * config.hidden**2 + 2 * config.hidden * wide)
    return float(config.layers * (dense + 4 * tokens**2 * config.hidden))


def prepare(scratch: Path, model: Path) -> None:
    """The batched graph that fastembed and Chroma would download, exported here; without torch they are skipped."""
    command = [str(part) for part in (PEER, WORKER, "export", scratch, model)]
    if not PEER.exists() or subprocess.run(command, capture_output=True).returncode:
        return
    for folder, graph in (("exported", "model.onnx"), ("exported", "onnx/model.onnx"), ("chroma/onnx", "model.onnx")):
        (scratch / folder / graph).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(scratch / "model.onnx", scratch / folder / graph)
        for name in TOKENIZER_FILES:
            shutil.copy(model / name, scratch / folder / name)


def measure(workers: dict[str, Worker], texts: list[str], rounds: int, bulk: int) -> tuple[dict[str, Measured], float]:
    """Runs the rounds; returns what each variant did and the best matrix product seen, GFLOP/s."""
    measured = {variant: Measured(worker.load_seconds) for variant, worker in workers.items()}
    questions = ["What is " + " ".join(text.split()[4:12]) + "?" for text in texts[:30]]
    peak = 0.0
    for number in range(rounds):
        batch = texts[number * bulk : (number + 1) * bulk]
        firsts = {}
        for variant, worker in workers.items():
            result, seen = worker.ask(do="bulk", texts=batch), measured[variant]
            firsts[variant] = np.array(result["first"])
            seen.chunks_per_second.append(bulk / result["seconds"])
            seen.chunks_per_cpu_second.append(bulk / result["cpu_seconds"])
            asked = worker.ask(do="query", texts=questions)
            seen.cpu_ms.append(asked["cpu_ms"])
            seen.p50_ms.append(asked["p50_ms"])
            seen.rss_mb = asked["rss_mb"]
        if REFERENCE in workers:
            peak = max(peak, workers[REFERENCE].ask(do="gemm")["gflops"])
            for variant, first in firsts.items():
                unit = first / np.linalg.norm(first)
                measured[variant].cosine = float(unit @ firsts[REFERENCE])
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return measured, peak


def report(measured: dict[str, Measured], peak: float, chunk_flops: float) -> dict[str, Any]:
    """Medians, best rounds, ratios to the reference within each round, and the share of the limit."""
    reference = measured.get(REFERENCE)
    rows = {}
    for variant, seen in measured.items():
        rates = seen.chunks_per_second
        row: dict[str, float] = {
            "chunks_per_second": statistics.median(rates),
            "best_chunks_per_second": max(rates),
            "chunks_per_cpu_second": statistics.median(seen.chunks_per_cpu_second),
            "query_cpu_ms": statistics.median(seen.cpu_ms),
            "query_p50_ms": statistics.median(seen.p50_ms),
            "peak_rss_mb": seen.rss_mb,
            "load_seconds": seen.load_seconds,
        }
        if reference:
            ratios = [ours / theirs for ours, theirs in zip(rates, reference.chunks_per_second, strict=True)]
            row["times_reference"] = statistics.median(ratios)
            row["less_query_cpu"] = statistics.median(
                theirs / ours for ours, theirs in zip(seen.cpu_ms, reference.cpu_ms, strict=True)
            )
            row["share_of_fp32_limit"] = max(rates) * chunk_flops / (peak * 1e9)
            row["cosine"] = seen.cosine
        rows[variant] = {name: round(value, 4) for name, value in row.items()}
    return {"tokens_per_chunk": TOKENS, "gemm_peak_gflops": round(peak, 1), "variants": rows}


def main() -> None:
    """Measures, prints a table and writes JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--bulk", type=int, default=96, help="chunks a round")
    options.add_argument("--out", type=Path, default=Path("embedding.json"))
    options.add_argument("--only", nargs="*", metavar="VARIANT", choices=VARIANTS, default=list(VARIANTS))
    chosen = options.parse_args()
    evaldata = os.environ.get("FOOTNOTE_EVALDATA")
    if not evaldata:
        sys.exit("Set FOOTNOTE_EVALDATA to the folder that holds scale/passages_100k.jsonl.gz.")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        model = find_minilm(cache_dir=scratch)
        every = chunks(Path(evaldata), read_word_pieces(model / "tokenizer.json"))
        texts = [text for text, _ in zip(every, range(chosen.rounds * chosen.bulk), strict=False)]
        prepare(scratch, model)
        for variant in ("ours fp32", "ours int8"):
            Worker(variant, VARIANTS[variant], scratch, model).stop()  # builds the graph: a first start, not measured
        workers: dict[str, Worker] = {}
        skipped = {}
        for variant in chosen.only:
            try:
                workers[variant] = Worker(variant, VARIANTS[variant], scratch, model)
            except (OSError, RuntimeError) as error:
                skipped[variant] = str(error)
        measured, peak = measure(workers, texts, chosen.rounds, chosen.bulk)
        for worker in workers.values():
            worker.stop()
    result = {**report(measured, peak, flops(model)), "rounds": chosen.rounds, "skipped": skipped}
    chosen.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
