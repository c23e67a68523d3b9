"""Content gaps as tests note them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.core.gaps import GapRules, to_bytes
from app.core.todos import GapCause, NearMiss, NewGap

RULES = GapRules(similarity=0.85, most=1000, checks=100)
AXES = np.eye(4, dtype=np.float32)


def gap(
    question: str = "What is it?", vector: Sequence[float] = AXES[0], where: tuple[int, ...] = (1,), at: float = 1.0
) -> NewGap:
    unit = np.asarray(vector, dtype=np.float32) / np.linalg.norm(vector)
    near = (NearMiss(7, "a.txt", 0.25, "nearly"),)
    return NewGap(f"Nothing: {question}", GapCause.REFUSED, question, at, where, 0.35, near, to_bytes(unit))
