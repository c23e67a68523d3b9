"""The OpenAPI document is whole, and every answer is what it says, whatever is asked."""

from __future__ import annotations

import re
from random import Random
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

METHODS = ("get", "post", "patch", "delete", "put")
OWN_ROUTES = {
    "/v1/repositories": {"get", "post"},
    "/v1/repositories/{repository_id}": {"get", "patch", "delete"},
    "/v1/repositories/{repository_id}/documents": {"get", "post"},
    "/v1/documents/{document_id}": {"get", "delete"},
    "/v1/documents/{document_id}/text": {"get"},
    "/v1/documents/{document_id}/content": {"get"},
    "/v1/documents/{document_id}/chunks": {"get"},
    "/v1/jobs/{job_id}": {"get"},
    "/v1/jobs/{job_id}/events": {"get"},
    "/v1/jobs/{job_id}/cancel": {"post"},
    "/v1/retrieve": {"post"},
    "/v1/citations/verify": {"post"},
    "/v1/traces": {"get"},
    "/v1/traces/{trace_id}": {"get"},
    "/v1/health": {"get"},
    "/v1/chat/completions": {"post"},
}


@pytest.fixture(scope="module")
def document(nobody: httpx2.Client) -> dict[str, Any]:
    found: dict[str, Any] = nobody.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, operation) of everything there is."""
    return [
        (method, path, item[method]) for path, item in document["paths"].items() for method in METHODS if method in item
    ]


def errors_of(path: str) -> dict[str, Any]:
    """Whose error bodies a path answers with."""
    union, gist, parea = ({"$ref": f"#/components/schemas/{name}"} for name in ("ErrorBody", "GistError", "PareaError"))
    if path == "/v1/chat/completions":
        return {"anyOf": [union, gist]}
    if path.startswith("/api/parea/"):
        return parea
    return gist if path.startswith(("/gist/", "/v1/chat", "/v1/threads", "/v1/questions")) else union


def validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})


class TestDocument:
    def test_has_every_route(self, document: dict[str, Any]) -> None:
        for path, methods in OWN_ROUTES.items():
            assert methods <= document["paths"][path].keys(), path

    def test_every_route_says_what_it_does(self, document: dict[str, Any]) -> None:
        for method, path, operation in operations(document):
            assert operation["summary"], (method, path)
            assert operation["tags"], (method, path)
        names = [operation["operationId"] for _, _, operation in operations(document)]
        assert len(set(names)) == len(names)

    def test_every_route_declares_its_errors_and_its_key(self, document: dict[str, Any]) -> None:
        for method, path, operation in operations(document):
            for status in ("4XX", "5XX"):
                shape = operation["responses"][status]["content"]["application/json"]["schema"]
                assert shape == errors_of(path), (method, path)
            assert "422" not in operation["responses"]
        assert document["security"] == [{"key": []}]
        assert document["paths"]["/v1/health"]["get"]["security"] == []

    def test_every_reference_leads_somewhere(self, document: dict[str, Any]) -> None:
        references = set(re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(document)))
        assert references <= document["components"]["schemas"].keys()

    def test_every_schema_is_one(self, document: dict[str, Any]) -> None:
        for schema in document["components"]["schemas"].values():
            Draft202012Validator.check_schema(schema)

    def test_examples_hold(self, document: dict[str, Any]) -> None:
        seen = 0
        for schema in document["components"]["schemas"].values():
            for example in [schema["example"]] if "example" in schema else []:
                validator(document, schema).validate(example)
                seen += 1
        for _, _, operation in operations(document):
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for example in content.get("examples", {}).values():
                validator(document, content["schema"]).validate(example["value"])
                seen += 1
        assert seen >= 5


HOSTILE_IDS = [
    "0",
    "-1",
    str(2**31 - 1),
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    str(10**40),
    "abc",
    "1.5",
    "%",
    "\u0000",
]
LEAVES = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    10**40,
    0.5,
    -0.0,
    1e308,
    "",
    "x" * 300,
    "\u0000",
    "🦊",
    "1",
    "\u202e",
]
LEFT_OUT = {
    ("get", "/v1/jobs/{job_id}/events"),  # a stream, and of an unfinished job without an end
    ("patch", "/v1/project"),  # other tests' project too
}
REQUESTS = 400


def hostile_json(random: Random, depth: int = 0) -> Any:
    """Any JSON: mostly a leaf, sometimes a list or an object of more of it."""
    kind = random.random()
    if depth > 2 or kind < 0.6:
        return random.choice(LEAVES)
    if kind < 0.8:
        return [hostile_json(random, depth + 1) for _ in range(random.randrange(4))]
    return {str(random.choice(LEAVES)): hostile_json(random, depth + 1) for _ in range(random.randrange(4))}


def hostile_body(random: Random, document: dict[str, Any], operation: dict[str, Any]) -> Any:
    """Any JSON, or some of the right fields with any JSON in them."""
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = (schema.get("$ref") or schema.get("anyOf", [{}])[0].get("$ref", "")).rsplit("/", 1)[-1]
    fields = list(document["components"]["schemas"].get(name, schema).get("properties", {}))
    if not fields or random.random() < 0.3:
        return hostile_json(random)
    return {field: hostile_json(random) for field in random.sample(fields, random.randint(0, len(fields)))}


class TestHostileRequests:
    """Never a 5xx; always the declared shape, or an error in the envelope."""

    def test_any_route(self, api: httpx2.Client, document: dict[str, Any]) -> None:
        """Seeded and not hypothesis: the service lives in this process, and what it loads would change the draws."""
        random = Random(7)
        kinds = [kind for kind in operations(document) if kind[:2] not in LEFT_OUT]
        for number in range(REQUESTS):
            method, template, operation = kinds[number % len(kinds)]
            path = re.sub(r"\{\w+\}", lambda _: quote(random.choice(HOSTILE_IDS), safe=""), template)
            body = hostile_body(random, document, operation)
            response = api.request(method, path, json=body) if random.random() < 0.9 else api.request(method, path)
            told = f"request {number}: {method} {path} {body!r}: {response.status_code} {response.text[:500]}"
            assert response.status_code < 500, told
            status = str(response.status_code) if response.is_success else "4XX"
            content = operation["responses"][status].get("content", {})
            if "application/json" in content:
                validator(document, content["application/json"]["schema"]).validate(response.json())
