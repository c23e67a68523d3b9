"""What a dialect does with each field that its clients may send: the parser's rule and the compatibility table in one.

A dialect declares `FIELDS: Fields`, by the field's name on the wire, dotted where it stands inside another
(`stream_options.include_usage`). Its parser calls `refuse_unsupported` and `passed_on` with that very mapping, and
docs/compatibility.md is written from it: what is documented and what is done cannot differ.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from app.core.errors import InvalidRequestError
from app.core.types import Json
from app.dialects.base import Body


class Treatment(enum.StrEnum):
    """What becomes of a field."""

    HONOURED = "honoured"  # this service acts on it
    PASSED = "passed"  # the model's provider gets it as it came
    REFUSED = "refused"  # a 400 whose param is the field


@dataclass(frozen=True, slots=True)
class Support:
    """One field's treatment, and in a sentence what it does, or why it is refused."""

    treatment: Treatment
    note: str
    harmless: tuple[Json, ...] = ()  # values of a refused field that ask for nothing but what is done anyway


Fields = Mapping[str, Support]


def honoured(note: str) -> Support:
    """A field that this service acts on."""
    return Support(Treatment.HONOURED, note)


def passed(note: str) -> Support:
    """A field that the model's provider gets as it came; it must be a field of the request model, for its type."""
    return Support(Treatment.PASSED, note)


def refused(reason: str, *harmless: Json) -> Support:
    """A field that is refused; null, and the harmless values, are not: they ask for what is done anyway."""
    return Support(Treatment.REFUSED, reason, harmless)


def refuse_unsupported(body: Body, fields: Fields) -> None:
    """Raises InvalidRequestError for the first refused field that asks for something."""
    for name, support in fields.items():
        if support.treatment is not Treatment.REFUSED:
            continue
        value = _at(body, name)
        # By type as well: True == 1, but `logprobs: 1` is no harmless `logprobs: true`.
        if value is None or any(type(value) is type(each) and value == each for each in support.harmless):
            continue
        raise InvalidRequestError(f"`{name}` is not supported here: {support.note}", field=name)


def passed_on(request: BaseModel, fields: Fields) -> dict[str, Json]:
    """The fields that go to the provider, checked by the request model; those left out or null are not there."""
    names = {name for name, support in fields.items() if support.treatment is Treatment.PASSED}
    return request.model_dump(mode="json", include=names, exclude_none=True)


def _at(body: Body, dotted: str) -> Json:
    value: Json = body
    for part in dotted.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value
