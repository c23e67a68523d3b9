"""The answer beside its sources: is it grounded, and do its citations hold?"""

from __future__ import annotations

from collections.abc import Sequence

from app.core.metrics.answers import REFUSED
from app.core.metrics.claims import Claim, claims_of, supports
from app.core.metrics.sample import Meaning, Measured, Sample
from app.core.types import Citation, Hit


def groundedness(sample: Sample, meaning: Meaning | None) -> Measured:
    """The share of the answer's claims that one retrieved chunk supports, or the chunks together that the claim cites.

    RAGAS' faithfulness (Es et al. 2023, §3): |supported statements| / |statements|; a statement is a sentence, and
    `claims.supports` stands for the language model. Not for a refusal, nor where no documents were searched.
    """
    claims, missing = _claims(sample)
    if missing is not None:
        return missing
    good = sum(
        any(supports(claim, [hit], meaning) for hit in sample.hits) or supports(claim, _cited(sample, claim), meaning)
        for claim in claims
    )
    return Measured(good / len(claims), f"{good} of {len(claims)} claims are supported by what was retrieved.")


def citation_recall(sample: Sample, meaning: Meaning | None) -> Measured:
    """The share of the answer's claims that the chunks which they cite support, all of a claim's chunks together.

    ALCE (Gao et al. 2023, §3.3): a statement without a citation counts as 0; `claims.supports` stands for the
    entailment model. Not for a refusal, nor where no documents were searched.
    """
    claims, missing = _claims(sample)
    if missing is not None:
        return missing
    good = sum(supports(claim, _cited(sample, claim), meaning) for claim in claims)
    return Measured(good / len(claims), f"{good} of {len(claims)} claims are supported by what they cite.")


def citation_precision(sample: Sample, meaning: Meaning | None) -> Measured:
    """The share of citations that are needed: their claim is supported, and by them alone, or not without them.

    ALCE (Gao et al. 2023, §3.3): a citation is irrelevant if it does not support its statement alone and the others
    support it without it. A citation of several claims counts once for each; a marker that names no source counts as
    0. Not where nothing is cited: ALCE's script gives 0 there, which recall says already.
    """
    claims, missing = _claims(sample)
    if missing is not None:
        return missing
    verdicts = [verdict for claim in claims for verdict in _needed(sample, claim, meaning)]
    strays = [each for each in sample.citations if _hit(sample, each) is None and not _of_any(each, claims)]
    verdicts += [False] * len(strays)
    if not verdicts:
        return Measured(None, "The answer cites nothing.")
    good = sum(verdicts)
    return Measured(good / len(verdicts), f"{good} of {len(verdicts)} citations are needed.")


def _claims(sample: Sample) -> tuple[tuple[Claim, ...], Measured | None]:
    if sample.refused:
        return (), Measured(None, REFUSED)
    if not sample.searched:
        return (), Measured(None, "No documents were searched.")
    claims = claims_of(sample.answer)
    return claims, None if claims else Measured(None, "The answer says nothing that can be checked.")


def _needed(sample: Sample, claim: Claim, meaning: Meaning | None) -> list[bool]:
    """For each source that a claim cites, and for each marker without a source, whether it is needed."""
    cited = {each.marker: _hit(sample, each) for each in sample.citations if _stands_for(each, claim)}
    hits = [hit for hit in cited.values() if hit is not None]
    whole = supports(claim, hits, meaning)
    return [
        hit is not None
        and whole
        and (
            supports(claim, [hit], meaning) or not supports(claim, [each for each in hits if each is not hit], meaning)
        )
        for hit in cited.values()
    ]


def _cited(sample: Sample, claim: Claim) -> list[Hit]:
    found = {each.marker: _hit(sample, each) for each in sample.citations if _stands_for(each, claim)}
    return [hit for hit in found.values() if hit is not None]


def _hit(sample: Sample, citation: Citation) -> Hit | None:
    return sample.hits[citation.marker - 1] if 1 <= citation.marker <= len(sample.hits) else None


def _stands_for(citation: Citation, claim: Claim) -> bool:
    return citation.answer_start < claim.end and citation.answer_end > claim.start


def _of_any(citation: Citation, claims: Sequence[Claim]) -> bool:
    return any(_stands_for(citation, claim) for claim in claims)
