"""What this service says that it does with a request and with each of its fields: from its dialects and its routes."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.routing import Match, compile_path

from app.api.graphql.limits import QueryLimits
from app.api.graphql.schema import build_schema
from app.dialects.absent import ABSENT
from app.dialects.openai import request as openai_request
from app.dialects.parea import completions as parea
from app.dialects.parea import logs as parea_logs
from app.dialects.prem import library as prem_library
from app.dialects.prem import request as prem_request
from app.dialects.prem import traces as prem_traces
from app.dialects.support import Fields, Support, honoured, refused
from app.main import create_app
from app.settings import Settings
from tests.compatibility.contract import Endpoint

HEADERS: Fields = {
    "Authorization": honoured("The key, with `Bearer` before it or alone."),
    "X-User-ID": honoured("The end user, whose threads nobody else sees."),
    "x-user-id": honoured("The key, as the document's curl line sends it."),
    "x-api-key": honoured("The key, as the SDK sends it."),
    "HTTP-Prompt-Id": honoured("The saved prompt that stands in for empty `messages`."),
}
_REPOSITORIES = ("/v1/repositories/", "/api/repositories/repositories/")
_DOCUMENTS = (
    "/v1/repository/{repository_id}/document",
    "/api/repositories/repository/{repository_id}/document",
)


def _inside(prefix: str, fields: Fields) -> Fields:
    return {name.removeprefix(prefix): support for name, support in fields.items() if name.startswith(prefix)}


def _documents(fields: Fields) -> Fields:
    return {
        "multipart:file" if name == "file" else name: support for name, support in _inside("document.", fields).items()
    }


# Bodies whose dialect declares each field; of the others the OpenAPI document tells, in which nothing is refused
DECLARED: Mapping[str, Fields] = {
    "chatbot POST /v1/chat/completions": openai_request.FIELDS,
    "promptrun POST /v1/chat/completions": openai_request.FIELDS,
    "openai POST /v1/chat/completions": openai_request.FIELDS,
    "prem POST /v1/chat/completions": prem_request.FIELDS,
    "parea POST /api/parea/v1/completion": parea.FIELDS,
    "parea POST /api/parea/v1/completion/stream": {
        **parea.FIELDS,
        "stream": honoured("Either value: the path is a stream's."),
    },
    "parea POST /api/parea/v1/trace_log": parea_logs.FIELDS,
    **{f"prem POST {path}": _inside("repository.", prem_library.FIELDS) for path in _REPOSITORIES},
    **{f"prem POST {path}": _documents(prem_library.FIELDS) for path in _DOCUMENTS},
    "prem GET /v1/traces/": {
        f"query:{name}": support for name, support in _inside("traces.", prem_traces.FIELDS).items()
    },
    "prem POST /v1/set_trace_feedback": _inside("feedback.", prem_traces.FIELDS),
}
TYPED_UNDER = {"gist POST /v1/chat/completions": "/gist/v1/chat/completions"}  # where a shared path has its own schema
PARTS = frozenset({"parea POST /api/parea/v1/trace_log"})  # of which only what is not honoured is declared


class Treatments:
    """What the application of default settings declares."""

    def __init__(self) -> None:
        self._app: FastAPI = create_app(Settings(_env_file=None))
        self._openapi: dict[str, Any] = self._app.openapi()

    def of_endpoint(self, endpoint: Endpoint) -> Support | None:
        """Honoured with what it does, refused with the reason, or None where no route answers."""
        path = filled(endpoint.path)
        for absent in ABSENT:
            if endpoint.method in absent.methods and compile_path(absent.path)[0].match(path):
                return refused(absent.reason)
        scope: dict[str, Any] = {
            "type": "http",
            "method": endpoint.method,
            "path": path,
            "headers": [],
            "query_string": b"",
        }
        scope |= {"root_path": "", "app": self._app}
        served = any(route.matches(dict(scope))[0] is Match.FULL for route in self._app.router.routes)
        return honoured(self._summary(endpoint)) if served else None

    def declared(self, endpoint: Endpoint) -> Fields:
        """Every field that the service says it knows, by the contract's names."""
        if endpoint.path == "/graphql":
            return _graphql()
        declared = dict(DECLARED.get(endpoint.key, {}))
        if declared and endpoint.key not in PARTS:
            return declared
        return {**self._typed(endpoint), **declared}

    def of_field(self, endpoint: Endpoint, name: str) -> Support | None:
        """A field's treatment: its own, or that of what it stands in; None where nothing is declared."""
        kind, colon, rest = name.partition(":")
        if colon and kind == "header":
            return HEADERS.get(rest)
        if colon and kind == "path":
            return honoured("") if f"{{{rest}}}" in endpoint.path else None
        declared = self.declared(endpoint)
        while name not in declared and "." in name:
            name = name.rpartition(".")[0]
        return declared.get(name)

    def _operation(self, endpoint: Endpoint) -> Mapping[str, Any]:
        path = TYPED_UNDER.get(endpoint.key, endpoint.path)
        for template, operations in self._openapi["paths"].items():
            if filled(template) == filled(path) and endpoint.method.lower() in operations:
                operation: Mapping[str, Any] = operations[endpoint.method.lower()]
                return operation
        return {}

    def _summary(self, endpoint: Endpoint) -> str:
        return str(self._operation(endpoint).get("summary", ""))

    def _typed(self, endpoint: Endpoint) -> Fields:
        operation = self._operation(endpoint)
        found = {
            f"query:{each['name']}": honoured(each.get("description", ""))
            for each in operation.get("parameters", ())
            if each["in"] == "query"
        }
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            prefix = "multipart:" if kind == "multipart/form-data" else ""
            found |= {prefix + name: support for name, support in self._fields(content["schema"])}
        return found

    def _fields(self, schema: Mapping[str, Any], outer: str = "") -> list[tuple[str, Support]]:
        """The fields of a schema and of those inside it, wherever lists and alternatives stand between."""
        if "$ref" in schema:
            return self._fields(self._openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], outer)
        found = []
        for name, inner in schema.get("properties", {}).items():
            found.append((outer + name, honoured(inner.get("description", ""))))
            found += self._fields(inner, f"{outer}{name}.")
        for inner in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())):
            found += self._fields(inner, outer)
        return found


def filled(path: str) -> str:
    """A path with a value in each of its places."""
    return re.sub(r"\{[^}]*\}", "1", path)


@functools.cache
def _graphql() -> Fields:
    """The operations that the chatbot's document and its server know, and their arguments."""
    types = build_schema(QueryLimits(depth=1, aliases=1, tokens=1, chars=1, items=1))._schema
    found: dict[str, Support] = {}
    for kind in (types.query_type, types.mutation_type):
        for name, operation in (kind.fields if kind else {}).items():
            found[name] = honoured(operation.description or "")
            found |= {f"{name}.{each}": honoured(arg.description or "") for each, arg in operation.args.items()}
    return found
