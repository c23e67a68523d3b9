"""What holds of every metric, whatever it is given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.core.citing import cite
from app.core.metrics.registry import METRICS
from app.core.metrics.sample import Sample
from app.core.prompting import number_sources
from app.core.types import Hit

BY_NAME = {metric.name: metric.measure for metric in METRICS.values()}
SENTENCES = [
    "Sparky charges its battery under the front stairs.",
    "The fee is 2,50 euros a day.",
    "After 30 days the card is blocked.",
    "Wer zu spät kommt, zahlt 3 Euro.",
    "充電は正面階段の下です。",
    "Yes.",
    "So it is.",
]
PIECES = st.sampled_from([*SENTENCES, "[1]", "[2][3]", "[9]", "[1, 2]"])
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=6).map(" ".join))


class Overlap:
    """Means the same as far as it has the same characters; as good as any other rule that is one."""

    def similarity(self, text: str, others: Sequence[str]) -> float:
        """Jaccard's index of the characters."""
        shares = [len(set(text) & set(other)) / max(1, len(set(text) | set(other))) for other in others]
        return max(shares, default=-1.0)


MEANINGS = st.sampled_from([None, Overlap()])


def hit(number: int, content: str) -> Hit:
    return Hit(number, number, 1, "a.md", content, 0, len(content), "0" * 64, 0.5)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    hits = tuple(hit(number, content) for number, content in enumerate(draw(st.lists(TEXTS, max_size=4)), 1))
    answer = draw(TEXTS)
    return Sample(
        question=draw(TEXTS),
        answer=answer,
        hits=hits,
        citations=cite(answer, number_sources(hits)),
        target=draw(st.none() | TEXTS),
        searched=draw(st.booleans()),
        refused=draw(st.booleans()),
        latency_s=draw(st.floats(0, 1e6)),
        cost=draw(st.none() | st.floats(0, 1e6)),
    )


@given(samples(), MEANINGS)
def test_scores_are_in_their_range_and_always_the_same(sample: Sample, meaning: Overlap | None) -> None:
    for metric in METRICS.values():
        measured = metric.measure(sample, meaning)
        assert measured == metric.measure(sample, meaning)
        assert measured.reason
        if measured.score is not None:
            assert math.isfinite(measured.score)
            assert 0 <= measured.score <= (math.inf if metric.highest is None else metric.highest)


@given(TEXTS)
def test_equal_texts_match_exactly_and_overlap_wholly(text: str) -> None:
    same = Sample("What?", text, target=text)
    spoken = replace(same, target=same.answer)
    if "[" not in text:
        assert BY_NAME["exact_match"](spoken, None).score == 1
        assert BY_NAME["token_f1"](spoken, None).score == 1


@given(samples())
def test_an_exact_match_overlaps_wholly_and_overlap_does_not_know_sides(sample: Sample) -> None:
    if sample.target is None or "[" in sample.target + sample.answer:
        return
    turned = replace(sample, answer=sample.target, target=sample.answer)
    assert BY_NAME["token_f1"](turned, None).score == BY_NAME["token_f1"](sample, None).score
    if BY_NAME["exact_match"](sample, None).score == 1:
        assert BY_NAME["token_f1"](sample, None).score == 1


@given(samples(), MEANINGS, st.integers(0, 20))
def test_removing_a_citation_never_raises_recall(sample: Sample, meaning: Overlap | None, which: int) -> None:
    if not sample.citations:
        return
    at = which % len(sample.citations)
    fewer = replace(sample, citations=sample.citations[:at] + sample.citations[at + 1 :])
    before, after = (BY_NAME["citation_recall"](each, meaning).score for each in (sample, fewer))
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert after <= before


@given(samples(), MEANINGS)
def test_an_answer_is_grounded_at_least_as_far_as_its_citations_hold(sample: Sample, meaning: Overlap | None) -> None:
    grounded, recall = (BY_NAME[name](sample, meaning).score for name in ("groundedness", "citation_recall"))
    assert (grounded is None) == (recall is None)
    if grounded is not None and recall is not None:
        assert grounded >= recall


@given(samples(), MEANINGS, st.data())
def test_the_order_of_chunks_is_nothing_to_hit_and_recall(
    sample: Sample, meaning: Overlap | None, data: st.DataObject
) -> None:
    turned = replace(sample, hits=tuple(data.draw(st.permutations(sample.hits))))
    for name in ("context_hit", "context_recall"):
        assert BY_NAME[name](turned, meaning).score == BY_NAME[name](sample, meaning).score


@given(samples(), MEANINGS, TEXTS)
def test_one_more_chunk_never_lowers_hit_recall_and_groundedness(
    sample: Sample, meaning: Overlap | None, content: str
) -> None:
    more = replace(sample, hits=(*sample.hits, hit(len(sample.hits) + 1, content)))
    for name in ("context_hit", "context_recall", "groundedness"):
        before, after = (BY_NAME[name](each, meaning).score for each in (sample, more))
        if before is not None and after is not None:
            assert after >= before


@given(samples(), MEANINGS)
def test_a_model_of_meaning_only_ever_adds_support(sample: Sample, meaning: Overlap | None) -> None:
    for name in ("groundedness", "citation_recall", "context_recall"):
        without, with_it = BY_NAME[name](sample, None).score, BY_NAME[name](sample, meaning).score
        if without is not None and with_it is not None:
            assert with_it >= without


@given(samples(), MEANINGS)
def test_reasons_repeat_nothing_of_the_texts(sample: Sample, meaning: Overlap | None) -> None:
    marked = replace(sample, question="qqqzzz", answer=f"{sample.answer} qqqzzz", target="qqqzzz")
    assert not any("qqqzzz" in metric.measure(marked, meaning).reason for metric in METRICS.values())


@given(samples())
def test_a_hit_can_be_taken_for_the_order_of_precision(sample: Sample) -> None:
    """Moving a chunk that matters to the top never lowers the precision."""
    best = BY_NAME["context_precision"](sample, None).score
    if best is None:
        return
    single = [BY_NAME["context_precision"](replace(sample, hits=(each,)), None).score == 1 for each in sample.hits]
    first = [each for each, matters in zip(sample.hits, single, strict=True) if matters]
    rest = [each for each, matters in zip(sample.hits, single, strict=True) if not matters]
    top = BY_NAME["context_precision"](replace(sample, hits=(*first, *rest)), None).score
    assert top is not None
    assert top >= best
    assert top == (1 if first else 0)
