"""Holds an answer against the `response_format` that was asked for (OpenAI's json_object and json_schema)."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError, Validator

from app.core.errors import InvalidRequestError
from app.core.types import Json

_FIELD = "response_format"
# Linear-time expressions: a caller's `pattern` cannot hold the process, and no reference is fetched from anywhere.
_PATTERNS = RegexOptions()


def check_format(wanted: Mapping[str, Json] | None) -> None:
    """Raises InvalidRequestError for a format of no known type, or whose schema is none."""
    if wanted is None:
        return
    kind = wanted.get("type")
    if kind not in ("text", "json_object", "json_schema"):
        raise InvalidRequestError(
            f"`response_format.type` must be text, json_object or json_schema, not {kind!r}.", field=_FIELD
        )
    if kind == "json_schema":
        _validator(wanted)


def misfit(wanted: Mapping[str, Json] | None, text: str) -> str | None:
    """What is wrong with an answer, None when it is as wanted."""
    kind = "text" if wanted is None else wanted.get("type", "text")
    if wanted is None or kind == "text":
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return f"it is not JSON: {error}"
    if kind == "json_object":
        return None if isinstance(value, dict) else "it is JSON, but no object"
    fault = next(iter(_validator(wanted).iter_errors(value)), None)
    if fault is None:
        return None
    where = ".".join(str(part) for part in fault.instance_path)
    return f"at `{where}`: {fault.message}" if where else fault.message


def wants_json(wanted: Mapping[str, Json] | None) -> bool:
    """Is the answer to be JSON?"""
    return wanted is not None and wanted.get("type", "text") != "text"


def _validator(wanted: Mapping[str, Json]) -> Validator:
    described = wanted.get("json_schema")
    schema = described.get("schema") if isinstance(described, dict) else None
    if not isinstance(schema, dict):
        raise InvalidRequestError("`response_format.json_schema.schema` must be a JSON Schema object.", field=_FIELD)
    try:
        return Draft202012Validator(schema, pattern_options=_PATTERNS, offline=True)
    except ValidationError as error:
        raise InvalidRequestError(
            f"`response_format.json_schema.schema` is no valid JSON Schema: {error.message}.", field=_FIELD
        ) from error
