"""One embedder in a process of its own, driven by JSON lines: {"do": "bulk" | "query" | "gemm", ...} -> one line back.

    python bench/embedding_worker.py VARIANT SCRATCH_FOLDER MODEL_FOLDER

Runs in either environment; each variant imports only its own vendor.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

Embed = Callable[[Sequence[str]], Any]  # rows of vectors


def ours(spec: str, scratch: Path) -> Embed:
    from ingest.embedders.load import load_embedder

    return load_embedder(spec, cache_dir=scratch, allow_download=False).embed


def sentence_transformers(batch: int, model: Path, *, threads: int | None = None) -> Embed:
    from sentence_transformers import SentenceTransformer

    if threads:
        import_module("torch").set_num_threads(threads)
    loaded = SentenceTransformer(str(model), device="cpu")
    return lambda texts: loaded.encode(
        list(texts), batch_size=batch, normalize_embeddings=True, show_progress_bar=False
    )


def fastembed(batch: int, scratch: Path) -> Embed:
    from fastembed import TextEmbedding

    loaded = TextEmbedding("sentence-transformers/all-MiniLM-L6-v2", specific_model_path=str(scratch / "exported"))
    return lambda texts: list(loaded.embed(list(texts), batch_size=batch))


def chroma(scratch: Path) -> Embed:
    from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

    ONNXMiniLM_L6_V2.DOWNLOAD_PATH = scratch / "chroma"
    loaded = ONNXMiniLM_L6_V2(preferred_providers=["CPUExecutionProvider"])
    return lambda texts: loaded(list(texts))


def export(model: Path, out: Path) -> None:
    """Writes the batched ONNX graph that fastembed and Chroma expect: ids, mask and types in, token vectors out."""
    torch, transformers = import_module("torch"), import_module("transformers")
    bert = transformers.AutoModel.from_pretrained(str(model), attn_implementation="eager")

    def forward(module: Any, ids: Any, mask: Any, types: Any) -> Any:
        return module.bert(ids, attention_mask=mask, token_type_ids=types).last_hidden_state

    token_vectors = type("TokenVectors", (torch.nn.Module,), {"forward": forward})()
    token_vectors.bert = bert
    example = torch.ones(2, 16, dtype=torch.long)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "batch", 1: "tokens"} for name in [*names, "last_hidden_state"]}
    torch.onnx.export(
        token_vectors.eval(),
        (example, example, example * 0),
        str(out),
        input_names=names,
        output_names=["last_hidden_state"],
        dynamic_axes=axes,
        dynamo=False,
    )


def gemm_gflops(rounds: int = 12) -> float:
    """The machine's best float32 matrix product now, all cores, GFLOP/s."""
    torch = import_module("torch")
    size = 1536
    one, other = torch.rand(size, size), torch.rand(size, size)
    best = 0.0
    for _ in range(rounds):
        start = time.perf_counter()
        torch.mm(one, other)
        best = max(best, 2 * size**3 / (time.perf_counter() - start) / 1e9)
    return best


def serve(embed: Embed, answers: Any) -> None:
    """Answers each line of standard input until it ends."""
    for line in sys.stdin:
        job = json.loads(line)
        if job["do"] == "gemm":
            answer: dict[str, Any] = {"gflops": gemm_gflops()}
        elif job["do"] == "bulk":
            start, cpu = time.perf_counter(), time.process_time()
            vectors = embed(job["texts"])
            seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
            answer = {"seconds": seconds, "cpu_seconds": cpu_seconds, "first": [float(x) for x in vectors[0]]}
        else:
            walls = []
            cpu = time.process_time()
            for text in job["texts"]:
                start = time.perf_counter()
                embed([text])
                walls.append((time.perf_counter() - start) * 1e3)
            spent = (time.process_time() - cpu) * 1e3
            answer = {"cpu_ms": spent / len(walls), "p50_ms": sorted(walls)[len(walls) // 2]}
        answer["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(answer), file=answers, flush=True)


def main(variant: str, scratch: Path, model: Path) -> None:
    """Loads the variant, says so, and serves."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what vendors print is no answer
    if variant == "export":
        export(model, scratch / "model.onnx")
        return
    start = time.perf_counter()
    embed = {
        "ours fp32": lambda: ours("minilm", scratch),
        "ours int8": lambda: ours("minilm:int8", scratch),
        "sentence-transformers": lambda: sentence_transformers(32, model),
        "sentence-transformers, batch 8": lambda: sentence_transformers(8, model),
        "sentence-transformers, batch 8, 1 thread": lambda: sentence_transformers(8, model, threads=1),
        "fastembed": lambda: fastembed(256, scratch),
        "fastembed, batch 1": lambda: fastembed(1, scratch),
        "Chroma's default": lambda: chroma(scratch),
    }[variant]()
    embed(["warm up"])
    print(json.dumps({"load_seconds": time.perf_counter() - start}), file=answers, flush=True)
    serve(embed, answers)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
