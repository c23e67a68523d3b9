"""What was retrieved beside what should be answered."""

from __future__ import annotations

from app.core.metrics.answers import NO_TARGET
from app.core.metrics.claims import claims_of, passage_of, supports
from app.core.metrics.normalising import contains, words
from app.core.metrics.sample import Meaning, Measured, Sample
from app.core.types import Hit

NOT_SEARCHED = Measured(None, "No documents were searched.")


def context_hit(sample: Sample, meaning: Meaning | None) -> Measured:
    """1 if the words of the target stand together in one retrieved chunk, else 0; the order of chunks is nothing to it.

    DPR's top-k accuracy (Karpukhin et al. 2020, §5), with SQuAD's normalisation. Without a target, or with one without
    words, it does not apply.
    """
    missing = _missing(sample)
    if missing is not None:
        return missing
    found = any(_says(hit, sample.target) for hit in sample.hits)
    return Measured(float(found), "Found." if found else f"In none of {len(sample.hits)} chunks.")


def context_recall(sample: Sample, meaning: Meaning | None) -> Measured:
    """The share of the target's claims that one retrieved chunk supports.

    RAGAS' context recall; `claims.supports` stands for the language model.
    """
    missing = _missing(sample)
    if missing is not None:
        return missing
    claims = claims_of(sample.target or "")
    if not claims:
        return Measured(None, "The target says nothing that can be checked.")
    passages = [passage_of(hit) for hit in sample.hits]
    good = sum(any(supports(claim, [each], meaning) for each in passages) for claim in claims)
    return Measured(good / len(claims), f"{good} of {len(claims)} claims of the target were retrieved.")


def context_precision(sample: Sample, meaning: Meaning | None) -> Measured:
    """How far at the top the chunks stand that matter: the mean, over these, of the precision down to each.

    RAGAS' context precision, which is average precision. A chunk matters if it has the words of the target together,
    or supports one of its claims. 0 where none does; does not apply where nothing was retrieved.
    """
    missing = _missing(sample)
    if missing is not None:
        return missing
    if not sample.hits:
        return Measured(None, "Nothing was retrieved.")
    claims = claims_of(sample.target or "")
    matters = [
        _says(hit, sample.target) or any(supports(claim, [passage_of(hit)], meaning) for claim in claims)
        for hit in sample.hits
    ]
    good = sum(matters)
    reason = f"{good} of {len(matters)} chunks matter."
    if not good:
        return Measured(0.0, reason)
    precisions = [sum(matters[:rank]) / rank for rank, matter in enumerate(matters, 1) if matter]
    return Measured(sum(precisions) / good, reason)


def _missing(sample: Sample) -> Measured | None:
    if sample.target is None:
        return NO_TARGET
    if not sample.searched:
        return NOT_SEARCHED
    return None if words(sample.target) else Measured(None, "The target has no words.")


def _says(hit: Hit, target: str | None) -> bool:
    return contains(words(hit.content), words(target or ""))
