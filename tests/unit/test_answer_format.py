"""An answer is held against the format that was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.answer_format import check_format, misfit, wants_json
from app.core.errors import InvalidRequestError

PRICE = {
    "type": "json_schema",
    "json_schema": {
        "name": "price",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"euros": {"type": "number"}, "code": {"type": "string", "pattern": "^(a+)+$"}},
            "required": ["euros"],
            "additionalProperties": False,
        },
    },
}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"euros": 2.5}', None),
        ('{"euros": 2, "code": "aa"}', None),
        ("Two euros.", "it is not JSON"),
        ('{"euros": "two"}', "at `euros`"),
        ("{}", '"euros" is a required property'),
        ('{"euros": 2, "note": 1}', "Additional properties"),
        ('{"euros": 2, "code": "' + "a" * 60 + '!"}', "at `code`"),  # exponential for a backtracking expression
    ],
)
def test_a_schema_says_what_is_wrong_with_an_answer(text: str, fault: str | None) -> None:
    found = misfit(PRICE, text)
    assert found is None if fault is None else found is not None and fault in found


@pytest.mark.parametrize(("text", "fits"), [('{"a": 1}', True), ("[1]", False), ("no", False), ('"text"', False)])
def test_json_object_is_an_object(text: str, fits: bool) -> None:
    assert (misfit({"type": "json_object"}, text) is None) is fits


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text(), st.lists, max_leaves=9))
def test_what_json_writes_a_schema_without_demands_accepts(value: Any) -> None:
    anything = {"type": "json_schema", "json_schema": {"schema": {}}}
    check_format(anything)
    assert misfit(anything, json.dumps(value)) is None


def test_text_is_never_held_against_anything() -> None:
    for wanted in (None, {"type": "text"}):
        check_format(wanted)
        assert misfit(wanted, "anything") is None
        assert not wants_json(wanted)
    assert wants_json(PRICE)


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"type": "xml"},
        {"type": "json_schema"},
        {"type": "json_schema", "json_schema": {"name": "x"}},
        {"type": "json_schema", "json_schema": {"schema": {"type": "objekt"}}},
        {"type": "json_schema", "json_schema": {"schema": {"$ref": "https://example.com/schema.json"}}},
        {"type": "json_schema", "json_schema": {"schema": {"$ref": "file:///etc/passwd"}}},
        {"type": "json_schema", "json_schema": {"schema": {"pattern": "("}}},
    ],
)
def test_a_format_that_cannot_be_checked_is_refused_before_a_model_is_called(wanted: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        check_format(wanted)
    assert refused.value.field == "response_format"
