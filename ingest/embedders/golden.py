"""What the real sentence-transformers said about a few texts: the self-test of every start."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from ingest.types import EmbedderUnavailableError, Vectors


@dataclass(frozen=True, slots=True)
class Golden:
    """Texts and their unit vectors, float32 [texts, dimensions], made with the weights of this digest."""

    weights_sha256: str
    texts: tuple[str, ...]
    vectors: Vectors


@cache
def minilm_golden() -> Golden:
    """The golden vectors of all-MiniLM-L6-v2, from golden.json beside this file (it says what made them)."""
    content = json.loads(resources.files(__package__).joinpath("golden.json").read_text(encoding="utf-8"))
    vectors = [np.frombuffer(base64.b64decode(case["vector"]), "<f4") for case in content["cases"]]
    return Golden(
        content["weights_sha256"],
        tuple(case["text"] for case in content["cases"]),
        np.stack(vectors).astype(np.float32),
    )


def check_parity(embed: Callable[[tuple[str, ...]], Vectors], golden: Golden, *, least_cosine: float) -> None:
    """Raises EmbedderUnavailableError unless each text's cosine with its golden vector is at least `least_cosine`."""
    cosines = np.einsum("ij,ij->i", embed(golden.texts).astype(np.float64), golden.vectors.astype(np.float64))
    worst = int(np.argmin(cosines))
    if not cosines[worst] >= least_cosine:  # so written, a NaN fails too
        raise EmbedderUnavailableError(
            f"The embedder's self-test failed: cosine {cosines[worst]:.6f} with sentence-transformers, "
            f"at least {least_cosine} wanted, for {golden.texts[worst][:60]!r}. "
            "The weights or the cached graph are damaged, or this processor computes wrongly."
        )


def check_unit_length(embed: Callable[[tuple[str, ...]], Vectors]) -> None:
    """The same for weights nobody made golden vectors of: a vector must be finite and of length 1."""
    length = float(np.linalg.norm(embed(("self-test",))))
    if not abs(length - 1.0) < 1e-4:
        raise EmbedderUnavailableError(f"The embedder's self-test failed: a vector of length {length}, not 1.")
