"""What a dialect declares of its fields is what its parser does."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from app.core.errors import InvalidRequestError
from app.dialects.support import Treatment, honoured, passed, passed_on, refuse_unsupported, refused

FIELDS = {
    "kept": honoured("kept"),
    "sent": passed("sent"),
    "shape": passed("sent"),
    "plain": refused("never; leave it out."),
    "off": refused("only off.", False, 0, [], ["text"]),
    "outer": honoured("see within"),
    "outer.inner": refused("not within."),
}


class Inner(BaseModel):
    number: int
    nothing: None = None


class Request(BaseModel):
    kept: int | None = None
    sent: str | None = None
    shape: Inner | None = None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"plain": "x"}, "plain"),
        ({"plain": False}, "plain"),
        ({"plain": []}, "plain"),
        ({"plain": 0}, "plain"),
        ({"plain": ""}, "plain"),
        ({"off": True}, "off"),
        ({"off": 1}, "off"),
        ({"off": 0.0}, "off"),
        ({"off": ["text", "audio"]}, "off"),
        ({"off": "false"}, "off"),
        ({"outer": {"inner": {}}}, "outer.inner"),
        ({"kept": 1, "outer": {"inner": 1}, "plain": 2}, "plain"),  # in the order of the declaration
    ],
)
def test_what_asks_for_something_is_refused_by_its_name(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"`{field}` is not supported here: ") as caught:
        refuse_unsupported(body, FIELDS)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"plain": None, "off": None, "outer": None},
        {"off": False},
        {"off": 0},
        {"off": []},
        {"off": ["text"]},
        {"outer": "inner"},
        {"outer": {"other": 1, "inner": None}},
        {"kept": True, "sent": "x", "unknown": 1},
    ],
)
def test_what_asks_for_nothing_else_is_let_through(body: dict[str, Any]) -> None:
    refuse_unsupported(body, FIELDS)


def test_only_passed_fields_go_on_and_none_that_is_null() -> None:
    request = Request(kept=1, sent="x", shape=Inner(number=2))
    assert passed_on(request, FIELDS) == {"sent": "x", "shape": {"number": 2}}
    assert passed_on(Request(kept=1), FIELDS) == {}


def test_a_treatment_is_written_as_a_word() -> None:
    assert [str(each) for each in Treatment] == ["honoured", "passed", "refused"]
