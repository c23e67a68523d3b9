"""Of one thread, no two turns under way are told the same number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.core.turn_numbers import TurnNumbers


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=30))
def test_numbers_under_way_differ_and_nothing_is_held_for_ever(steps: list[tuple[str, bool]]) -> None:
    numbers = TurnNumbers()
    kept = {"a": 0, "b": 0}  # the highest number that was written down
    under_way: dict[str, list[int]] = {"a": [], "b": []}
    for thread, begins in steps:
        if begins:
            number = numbers.promise(thread, kept[thread])
            assert number > max([kept[thread], *under_way[thread]])
            under_way[thread].append(number)
        elif under_way[thread]:
            done = under_way[thread].pop(0)
            kept[thread] = max(kept[thread], done)
            numbers.forget(thread, done)
    for thread, held in under_way.items():
        for number in held:
            numbers.forget(thread, number)
    assert numbers._promised == {}


def test_what_was_never_promised_can_be_forgotten() -> None:
    TurnNumbers().forget("a", 1)
