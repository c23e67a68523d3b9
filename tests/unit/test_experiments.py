"""The figures of an experiment: one sample a tree, nothing lost and nothing counted twice."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.experiments import TraceFigures, samples_of, statistics_of

IDS = st.sampled_from("abcdefg")


def figures(
    trace_id: str, parent: str | None = None, tokens: int = 1, cost: float | None = None, **scores: float | None
) -> TraceFigures:
    kept = tuple({"name": name, "score": score, "reason": None} for name, score in scores.items())
    return TraceFigures(trace_id, parent, 2.0, tokens, tokens, cost, kept)


@st.composite
def forests(draw: st.DrawFn) -> list[TraceFigures]:
    """Traces in any order, each below one before it or none, or below one that is not there."""
    ids = draw(st.lists(IDS, unique=True))
    made = [
        figures(each, draw(st.sampled_from([None, "", "elsewhere", each, *ids[:at]])), draw(st.integers(0, 9)))
        for at, each in enumerate(ids)
    ]
    return draw(st.permutations(made))


def test_a_tree_is_one_sample_with_the_tops_latency_and_the_sum_of_the_rest() -> None:
    traces = [
        figures("child", "top", 5, 0.25, groundedness=0.5),
        TraceFigures("top", None, 9.0, 0, 0, None, ({"name": "own", "score": 1, "reason": "r"},)),
        figures("grandchild", "child", 7, 0.5, groundedness=1.0, skipped=None),
        figures("alone", "never written", 3),
    ]
    top, alone = samples_of(traces)
    assert (top.id, top.latency_s, top.prompt_tokens, top.completion_tokens, top.cost) == ("top", 9.0, 12, 12, 0.75)
    assert [(score["name"], score["score"]) for score in top.scores] == [
        ("own", 1),
        ("groundedness", 0.5),
        ("groundedness", 1.0),
    ]
    assert (alone.id, alone.prompt_tokens, alone.cost) == ("alone", 3, None)


@given(forests())
def test_every_token_is_counted_once(traces: list[TraceFigures]) -> None:
    samples = samples_of(traces)
    assert sum(each.prompt_tokens for each in samples) == sum(each.prompt_tokens for each in traces)
    assert len({each.id for each in samples}) == len(samples) <= len(traces)


@given(st.lists(st.tuples(IDS, IDS), unique_by=lambda pair: pair[0]))
def test_circles_of_parents_end(pairs: list[tuple[str, str]]) -> None:
    assert len(samples_of([figures(*pair) for pair in pairs])) <= len(pairs)


def test_statistics_are_those_of_the_samples() -> None:
    found = {each.name: each for each in statistics_of([figures("a", tokens=2, f1=0.0), figures("b", tokens=4, f1=1)])}
    assert set(found) == {"latency", "input_tokens", "output_tokens", "total_tokens", "f1"}  # no cost is known
    f1, tokens = found["f1"], found["total_tokens"]
    assert (f1.count, f1.mean, f1.deviation, f1.lowest, f1.highest) == (2, 0.5, 0.5, 0, 1)
    assert (tokens.mean, tokens.deviation, tokens.lowest, tokens.highest) == (6, 2, 4, 8)
    assert statistics_of([]) == ()


def test_a_score_takes_the_place_of_a_figure_with_its_name() -> None:
    (found,) = [each for each in statistics_of([figures("a", latency=5.0)]) if each.name == "latency"]
    assert found.mean == 5.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_a_mean_lies_in_its_range(values: list[float]) -> None:
    found = statistics_of(samples_of([figures(str(n), own=value) for n, value in enumerate(values)]))
    own = next(each for each in found if each.name == "own")
    assert own.count == len(values)
    slack = 1e-9 * max(1.0, abs(own.lowest), abs(own.highest))
    assert own.lowest - slack <= own.mean <= own.highest + slack
    assert 0 <= own.deviation <= own.highest - own.lowest + slack
    assert math.isfinite(own.deviation)


def test_a_number_written_as_text_is_one() -> None:
    odd = TraceFigures("a", None, 1.0, 0, 0, None, ({"name": "odd", "score": "0.25"},))
    assert samples_of([odd])[0].scores == ({"name": "odd", "score": 0.25},)


@pytest.mark.parametrize("score", [None, "0.5x", math.nan, math.inf])
def test_what_is_no_number_is_no_score(score: object) -> None:
    odd = TraceFigures("a", None, 1.0, 0, 0, None, ({"name": "odd", "score": score},))
    assert samples_of([odd])[0].scores == ()
