"""The contract against the running service: every answer is whole, and no field is accepted and ignored."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from app.dialects.support import Treatment
from tests.api.contract_examples import Example, World, examples
from tests.api.library import Library
from tests.api.refusals import assert_error, assert_needs_key
from tests.compatibility.contract import Endpoint, contract
from tests.compatibility.treatments import Treatments, filled
from tests.doubles.openai_server import OpenAIServer, say

CONTRACT = {endpoint.key: endpoint for endpoint in contract()}
TREATMENTS = Treatments()
SENTINEL = "never-said-before"
WRONG: tuple[Any, ...] = ({SENTINEL: SENTINEL}, SENTINEL, 12.5, -1, True, [[]])  # no field takes all of these
FREE = {  # any JSON is good; what becomes of it, the named test says
    "parea POST /api/parea/v1/collection test_cases.target",
    "parea POST /api/parea/v1/testcases test_cases.target",
    "prem GET /v1/traces/ query:search",  # any text
}


def treated(endpoint: Endpoint) -> Treatment:
    found = TREATMENTS.of_endpoint(endpoint)
    assert found is not None, endpoint.key
    return found.treatment


ABSENT = [key for key, endpoint in CONTRACT.items() if treated(endpoint) is Treatment.REFUSED]
ANSWERS = [key for key, endpoint in CONTRACT.items() if endpoint.answer]
FIELDS = [
    (key, name)
    for key, endpoint in CONTRACT.items()
    for name in endpoint.fields
    if name.partition(":")[0] not in ("header", "path", "multipart")
    and endpoint.path not in ("/graphql", "/v1/prompt/stream")  # a schema's own affair; an endless answer
    and f"{key} {name}" not in FREE
]


@pytest.fixture(scope="module")
def world(api: httpx2.Client, model_server: OpenAIServer, library: Library) -> World:
    return World.made(api, model_server, library)


@pytest.fixture(autouse=True)
def talking_model(model_server: OpenAIServer) -> Iterator[OpenAIServer]:
    model_server.clear()
    model_server.script(*[say("Hi [1].")] * (2 * len(WRONG)))
    yield model_server
    model_server.clear()


def example(endpoint: Endpoint, world: World) -> Example:
    made = examples(world).get(endpoint.key)
    return Example(endpoint.path) if made is None else made()


def send(client: httpx2.Client, endpoint: Endpoint, request: Example) -> httpx2.Response:
    return request.send(client, endpoint.method, {"X-User-ID": "contract"} if endpoint.vendor == "gist" else None)


def with_value(request: Example, name: str, value: Any) -> Example:
    """The request with another value in one field, in the first element of each list on the way."""
    kind, colon, rest = name.partition(":")
    if colon:
        assert kind == "query"
        return Example(request.path, request.json, {**request.params, rest: str(value)})
    body = copy.deepcopy(request.json)
    inside = body
    *outer, last = name.split(".")
    for each in outer:
        inside = inside.setdefault(each, {})
        inside = inside[0] if isinstance(inside, list) else inside
    inside[last] = value
    return Example(request.path, body, request.params)


def found_in(answer: Any, dotted: str) -> Iterator[Any]:
    """Every value under a path such as `choices[].message.role`; raises KeyError where one is missing."""
    first, _, rest = dotted.partition(".")
    value = answer[first.removesuffix("[]")] if first != "[]" else answer
    values = value if first.endswith("[]") else [value]
    assert values or not first.endswith("[]"), f"{first} is empty"
    for each in values:
        yield from found_in(each, rest) if rest else [each]


@pytest.mark.parametrize("key", ANSWERS)
def test_an_answer_has_what_clients_read(key: str, api: httpx2.Client, world: World) -> None:
    endpoint = CONTRACT[key]
    response = send(api, endpoint, example(endpoint, world))
    assert response.status_code == endpoint.status, response.text
    answer = response.json()
    for name in endpoint.answer:
        values = list(found_in(answer, name.removesuffix("?")))
        assert name.endswith("?") or None not in values, name
    for name in endpoint.never:
        with pytest.raises(KeyError):
            list(found_in(answer, name))


@pytest.mark.parametrize(("key", "name"), FIELDS)
def test_wrong_values_and_refusals(
    key: str, name: str, api: httpx2.Client, world: World, model_server: OpenAIServer
) -> None:
    """A field that is read is refused when it cannot be meant, or is seen by the model; a refused one always is."""
    endpoint = CONTRACT[key]
    support = TREATMENTS.of_field(endpoint, name)
    assert support is not None
    good = example(endpoint, world)
    response = send(api, endpoint, good)
    assert response.status_code == endpoint.status, response.text
    leaf = name.rpartition(":")[2].rpartition(".")[2]
    refusals = []
    for wrong in WRONG:
        response = send(api, endpoint, with_value(example(endpoint, world), name, wrong))
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            named = response.status_code == 404 or leaf.lower() in response.text.lower()
            assert named, f"{wrong!r}: {response.text}"
            refusals.append(wrong)
        elif model_server.requests and SENTINEL in str(model_server.requests[-1].body):
            refusals.append(wrong)
        model_server.clear()
        model_server.script(*[say("Hi.")] * 2)
        if refusals and support.treatment is not Treatment.REFUSED:
            return
    assert len(refusals) == len(WRONG), f"`{name}` is accepted and ignored"


@pytest.mark.parametrize("key", ABSENT)
def test_what_is_not_offered_says_why(key: str, api: httpx2.Client, nobody: httpx2.Client) -> None:
    endpoint = CONTRACT[key]
    support = TREATMENTS.of_endpoint(endpoint)
    assert support is not None
    path = filled(endpoint.path)
    refused = api.request(endpoint.method, path)
    assert refused.status_code == 404
    assert refused.json()["message"] == support.note
    if endpoint.vendor == "gist":
        assert refused.json()["error"] == "Not Found"
        assert nobody.request(endpoint.method, path).json()["error"] == "Unauthorized"
    else:
        assert_error(refused, 404, says=support.note)
        assert_needs_key(nobody, endpoint.method, path)
