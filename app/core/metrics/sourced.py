"""The answer beside its sources: is it grounded, and do its citations hold?"""

from __future__ import annotations

from dataclasses import dataclass

from app.core.metrics.answers import REFUSED
from app.core.metrics.claims import Claim, Passage, claims_of, passage_of, supports
from app.core.metrics.sample import Meaning, Measured, Sample


@dataclass(frozen=True, slots=True)
class _Statement:
    """A claim of the answer, and by its markers what it cites; None for a marker that names no source."""

    claim: Claim
    cited: dict[int, Passage | None]

    @property
    def sources(self) -> list[Passage]:
        return [each for each in self.cited.values() if each is not None]


def groundedness(sample: Sample, meaning: Meaning | None) -> Measured:
    """The share of the answer's claims that one retrieved chunk supports, or the chunks together that the claim cites.

    RAGAS' faithfulness (Es et al. 2023, §3): |supported statements| / |statements|; a statement is a sentence, and
    `claims.supports` stands for the language model. Not for a refusal, nor where no documents were searched.
    """
    if (missing := _missing(sample)) is not None:
        return missing
    passages, statements = _read(sample)
    good = sum(
        any(supports(each.claim, [passage], meaning) for passage in passages)
        or supports(each.claim, each.sources, meaning)
        for each in statements
    )
    return Measured(good / len(statements), f"{good} of {len(statements)} claims are supported by what was retrieved.")


def citation_recall(sample: Sample, meaning: Meaning | None) -> Measured:
    """The share of the answer's claims that the chunks which they cite support, all of a claim's chunks together.

    ALCE (Gao et al. 2023, §3.3): a statement without a citation counts as 0; `claims.supports` stands for the
    entailment model. Not for a refusal, nor where no documents were searched.
    """
    if (missing := _missing(sample)) is not None:
        return missing
    _, statements = _read(sample)
    good = sum(supports(each.claim, each.sources, meaning) for each in statements)
    return Measured(good / len(statements), f"{good} of {len(statements)} claims are supported by what they cite.")


def citation_precision(sample: Sample, meaning: Meaning | None) -> Measured:
    """The share of citations that are needed: their claim is supported, and by them alone, or not without them.

    ALCE (Gao et al. 2023, §3.3): a citation is irrelevant if it does not support its statement alone and the others
    support it without it. A citation of several claims counts once for each; a marker that names no source counts as
    0. Not where nothing is cited: ALCE's script gives 0 there, which recall says already.
    """
    if (missing := _missing(sample)) is not None:
        return missing
    passages, statements = _read(sample)
    verdicts = [verdict for each in statements for verdict in _needed(each, meaning)]
    of_a_claim = {marker for each in statements for marker in each.cited}
    strays = {each.marker for each in sample.citations} - of_a_claim - set(range(1, len(passages) + 1))
    verdicts += [False] * len(strays)
    if not verdicts:
        return Measured(None, "The answer cites nothing.")
    good = sum(verdicts)
    return Measured(good / len(verdicts), f"{good} of {len(verdicts)} citations are needed.")


def _read(sample: Sample) -> tuple[list[Passage], list[_Statement]]:
    """The chunks and, bound to them, the claims."""
    passages = [passage_of(hit) for hit in sample.hits]
    sources: dict[int, Passage | None] = dict(enumerate(passages, 1))
    statements = [
        _Statement(
            claim,
            {
                each.marker: sources.get(each.marker)
                for each in sample.citations
                if each.answer_start < claim.end and each.answer_end > claim.start
            },
        )
        for claim in claims_of(sample.answer)
    ]
    return passages, statements


def _missing(sample: Sample) -> Measured | None:
    if sample.refused:
        return Measured(None, REFUSED)
    if not sample.searched:
        return Measured(None, "No documents were searched.")
    return None if claims_of(sample.answer) else Measured(None, "The answer says nothing that can be checked.")


def _needed(statement: _Statement, meaning: Meaning | None) -> list[bool]:
    """For each marker of a claim, whether its source is needed."""
    claim, sources = statement.claim, statement.sources
    whole = supports(claim, sources, meaning)
    return [
        whole
        and source is not None
        and (
            supports(claim, [source], meaning)
            or not supports(claim, [each for each in sources if each is not source], meaning)
        )
        for source in statement.cited.values()
    ]
