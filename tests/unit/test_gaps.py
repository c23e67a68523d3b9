"""What is a content gap, which questions are one, which gap gives way: decided without a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.gaps import (
    GapRules,
    KnownGap,
    Standing,
    cause_of,
    find_same,
    gives_way,
    nearest,
    title_of_gap,
    to_bytes,
    to_vector,
)
from app.core.todos import GapCause, OpenGap
from app.core.types import (
    Citation,
    Finished,
    FinishReason,
    Funnel,
    Hit,
    Retrieved,
    ToolCall,
    Usage,
    Verdict,
)

HIT = Hit(1, 1, 1, "a.txt", "text", 0, 4, "0" * 64, 0.9)
FOUND = Retrieved((HIT,), Funnel())
NOTHING = Retrieved((), Funnel())


def finished(*verdicts: Verdict, refused: bool = False, tools: tuple[ToolCall, ...] = ()) -> Finished:
    citations = tuple(Citation(1, verdict, 0, 4) for verdict in verdicts)
    return Finished("text", tools, citations, Usage(), FinishReason.STOP, refused)


class TestCause:
    def test_a_refusal_is_one(self) -> None:
        assert cause_of(NOTHING, finished(refused=True)) is GapCause.REFUSED

    @pytest.mark.parametrize("verdict", [Verdict.VERBATIM, Verdict.NORMALISED, Verdict.UNVERIFIED])
    def test_an_answer_with_a_source_that_exists_is_none(self, verdict: Verdict) -> None:
        assert cause_of(FOUND, finished(Verdict.FABRICATED, verdict)) is None

    @pytest.mark.parametrize("verdicts", [(), (Verdict.FABRICATED,), (Verdict.FABRICATED, Verdict.FABRICATED)])
    def test_an_answer_that_nothing_supports_is_one(self, verdicts: Sequence[Verdict]) -> None:
        assert cause_of(FOUND, finished(*verdicts)) is GapCause.UNSUPPORTED

    def test_a_tool_call_is_none(self) -> None:
        assert cause_of(FOUND, finished(tools=(ToolCall("1", "f", "{}"),))) is None

    def test_a_question_that_no_documents_were_searched_for_is_none(self) -> None:
        assert cause_of(Retrieved((), Funnel(), asked=False), finished()) is None


class TestTitle:
    def test_says_where_and_what(self) -> None:
        refused = title_of_gap(GapCause.REFUSED, "Why?", ["Handbook", "Manual"])
        assert refused == "Nothing in *Handbook, Manual* answers: Why?"
        unsupported = title_of_gap(GapCause.UNSUPPORTED, "Why?", ["Handbook"])
        assert unsupported == "Nothing in *Handbook* supports the answer to: Why?"

    @given(st.text(), st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=9))
    def test_is_one_short_line(self, question: str, names: list[str]) -> None:
        title = title_of_gap(GapCause.REFUSED, question, [name.replace("\n", "") for name in names])
        assert len(title) <= 450
        assert " ".join(question.split()) in title or title.endswith("…")


UNITS = st.integers(0, 5).map(lambda axis: np.eye(6, dtype=np.float32)[axis])


def fold(questions: Sequence[int], rules: GapRules) -> Counter[int]:
    """How often each axis was asked when questions come in this order: what the store does, without the store."""
    known: list[KnownGap] = []
    counts: Counter[int] = Counter()
    for axis in questions:
        vector = to_bytes(np.eye(6, dtype=np.float32)[axis])
        same = find_same(known, f"question {len(known)} of {axis}", (1,), vector, rules.similarity)
        if same is None:
            same = len(known)
            known.append(KnownGap(same, f"question {axis}", (1,), vector))
        counts[int(np.argmax(to_vector(known[same].vector)))] += 1
    return counts


class TestFolding:
    @given(
        st.lists(st.integers(0, 5), max_size=20).flatmap(lambda each: st.tuples(st.just(each), st.permutations(each)))
    )
    def test_the_order_of_questions_does_not_matter_for_the_count(self, orders: tuple[list[int], list[int]]) -> None:
        rules = GapRules(0.85, 100, 100)
        first, second = orders
        assert fold(first, rules) == fold(second, rules) == Counter(first)

    @given(st.lists(st.integers(0, 5), max_size=12))
    def test_no_question_is_lost_however_alike_they_are(self, questions: list[int]) -> None:
        for similarity in (0.0, 0.5, 1.0):
            assert fold(questions, GapRules(similarity, 100, 100)).total() == len(questions)

    @given(
        st.lists(st.floats(-1, 1, width=32), min_size=8, max_size=8).filter(
            lambda each: any(abs(v) > 0.01 for v in each)
        )
    )
    def test_a_vector_is_kept_to_the_bit(self, values: list[float]) -> None:
        vector = np.asarray(values, dtype=np.float32)
        assert to_vector(to_bytes(vector)).tolist() == vector.tolist()

    def test_equal_words_need_no_vector(self) -> None:
        known = [KnownGap(7, "What  is\nit?", (1, 2), b"")]
        vector = to_bytes(np.eye(6, dtype=np.float32)[0])
        assert find_same(known, "what is IT?", (1, 2), vector, 0.85) == 7
        assert find_same(known, "what is IT?", (1,), vector, 0.85) is None
        assert find_same(known, "what else?", (1, 2), vector, 0.85) is None

    def test_the_most_similar_one_is_taken(self) -> None:
        near, nearer = np.array([1, 0.5], np.float32), np.array([1, 0.1], np.float32)
        known = [
            KnownGap(number, str(number), (1,), to_bytes(vector / np.linalg.norm(vector)))
            for number, vector in enumerate((near, nearer))
        ]
        assert find_same(known, "?", (1,), to_bytes(np.array([1, 0], np.float32)), 0.5) == 1


STANDINGS = st.lists(
    st.builds(Standing, st.integers(), st.booleans(), st.integers(1, 3), st.floats(0, 9)),
    unique_by=lambda gap: gap.todo_id,
)


class TestRoom:
    @given(STANDINGS)
    def test_an_open_one_goes_only_when_none_is_completed_and_the_least_asked_first(self, gaps: list[Standing]) -> None:
        forgotten = next((gap for gap in gaps if gap.todo_id == gives_way(gaps)), None)
        if forgotten is None:
            assert gaps == []
            return
        assert forgotten.completed or not any(gap.completed for gap in gaps)
        rivals = [gap for gap in gaps if gap.completed == forgotten.completed]
        assert forgotten.asked == min(gap.asked for gap in rivals)
        assert forgotten.last_asked_at == min(gap.last_asked_at for gap in rivals if gap.asked == forgotten.asked)


class TestNearest:
    def gap(self, number: int, vector: bytes) -> OpenGap:
        return OpenGap(number, 1, "?", (1,), 0.35, vector)

    def test_those_that_new_text_comes_nearest_to_are_looked_at(self) -> None:
        axes = np.eye(4, dtype=np.float32)
        gaps = [self.gap(n, to_bytes(axes[n])) for n in range(4)] + [self.gap(9, b"\0" * 8)]
        assert [gap.todo_id for gap in nearest(gaps, axes[2:3], 2)] == [2, 0]
        assert [gap.todo_id for gap in nearest(gaps, axes[[3, 1]], 2)] == [1, 3]
        assert nearest(gaps, axes[2:3], 5) == gaps
        assert nearest(gaps, np.zeros((0, 0), np.float32), 2) == gaps[:2]
