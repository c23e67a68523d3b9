"""One score from two legs: what a chunk means (cosine) and which of the question's words it has (BM25).

    score = 1 - (1 - fluency · cosine) · (1 - weight · words)

where `words` is BM25 as a share of what a chunk of average length gets that has each of the question's words once, and
at most 1; `fluency` is how well the model can read the question (app.core.fluency), and `weight` grows from WEIGHT to
UNREAD_WEIGHT as it cannot. Words can only lift a score, never sink it, and a leg that knows nothing (a language the
model cannot read, a paraphrase without a shared word) does no harm. Measured in docs/adr/0005.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.types import LexicalMatches

WEIGHT, UNREAD_WEIGHT = 0.6, 0.95
ONCE = 1 / 2.2  # of the ceiling: BM25 of a word that stands once in a chunk of average length, k1 = 1.2


@dataclass(frozen=True, slots=True)
class Fused:
    """A candidate's one score and what it was made of."""

    chunk_id: int
    score: float  # 0..1
    dense: float  # cosine, cut at 0
    lexical: float  # 0..1


def trust(fluency: float, lexical: LexicalMatches) -> float:
    """How far the cosines are to be believed: as far as the question was read; wholly where there is nothing else."""
    return fluency if lexical.ceiling > 0 else 1.0


def fuse(cosines: Mapping[int, float], lexical: LexicalMatches, fluency: float = 1.0) -> list[Fused]:
    """Every candidate that has a cosine (so: that is visible), best first, equal scores by id."""
    trusted = trust(fluency, lexical)
    weight = WEIGHT + (UNREAD_WEIGHT - WEIGHT) * (1 - trusted)
    shares = {}
    if lexical.ceiling > 0:
        shares = {match.chunk_id: min(match.score / (lexical.ceiling * ONCE), 1.0) for match in lexical.matches}
    fused = [
        _fused(chunk_id, cosine, trusted, shares.get(chunk_id, 0.0), weight) for chunk_id, cosine in cosines.items()
    ]
    return sorted(fused, key=lambda each: (-each.score, each.chunk_id))


def _fused(chunk_id: int, cosine: float, trusted: float, share: float, weight: float) -> Fused:
    dense = min(max(cosine, 0.0), 1.0)
    meant = trusted * dense
    # A sum, so that a chunk without a word of the question keeps its cosine to the last bit.
    return Fused(chunk_id, meant + (1 - meant) * weight * share, dense, share)
