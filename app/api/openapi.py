"""Completes the OpenAPI document: bodies that routes read by hand, the errors of each path, keys, streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from app.api import completions
from app.api.parea import completions as parea
from app.api.prem import library as prem
from app.api.schemas import ErrorBody
from app.dialects.envelopes import Envelope, envelopes_of
from app.dialects.errors import union_refusal
from app.dialects.gist.errors import GistError, gist_refusal
from app.dialects.parea.completions import parea_refusal
from app.dialects.parea.wire import PareaError

SHAPES: Mapping[str, type[BaseModel]] = {
    "ErrorBody": ErrorBody,
    "GistError": GistError,
    "PareaError": PareaError,
    **completions.SCHEMAS,
    **prem.SCHEMAS,
    **parea.SCHEMAS,
}
ERRORS: Mapping[Envelope, str] = {union_refusal: "ErrorBody", gist_refusal: "GistError", parea_refusal: "PareaError"}
TOLD = {
    "4XX": "The request is refused; the message says why, and what to do.",
    "5XX": "A part, or a model's provider, does not work; the message says which, and the trace what happened.",
}


def complete_document(app: FastAPI) -> None:
    """Has the application show its whole document at /openapi.json; made when it is first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name, model in SHAPES.items():
        shape = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= shape.pop("$defs", {}) | {name: shape}
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}]
    for address, path in document["paths"].items():
        for operation in path.values():
            operation["responses"].pop("422", None)  # FastAPI's own; ours are in the envelope
            operation["responses"] |= _refusals(address)
    return document


def _refusals(address: str) -> dict[str, Any]:
    """What a path answers where it does not do what it is asked, in the words of its clients."""
    shapes = [{"$ref": f"#/components/schemas/{ERRORS[envelope]}"} for envelope in envelopes_of(address)]
    shape = {"anyOf": shapes} if len(shapes) > 1 else shapes[0]
    return {
        status: {"description": told, "content": {"application/json": {"schema": shape}}}
        for status, told in TOLD.items()
    }
