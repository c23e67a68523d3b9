"""The vendors' own clients embed texts: OpenAI's as base64 unless told otherwise, Prem's as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.clients import langchain_client, openai_clients, prem_clients
from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess

MODEL = "footnote/all-MiniLM-L6-v2"
TEXTS = ["The dog sleeps under the stairs.", "A puppy naps below the steps.", "Taxes are due in April."]
DIMENSIONS = 384
pytestmark = pytest.mark.peer
OPENAI = pytest.mark.parametrize("client", openai_clients.PROCESSES, ids=["openai-python", "openai-node"])


def embed(client: ClientProcess, service: Service, **request: Any) -> dict[str, Any]:
    return client.ask(service.url, service.key, "embeddings", {"model": MODEL, "input": TEXTS, **request})


def vectors_of(answer: dict[str, Any]) -> list[list[float]]:
    assert [each["index"] for each in answer["data"]] == list(range(len(answer["data"])))
    return [each["embedding"] for each in answer["data"]]


def assert_meaningful(vectors: Sequence[Sequence[float]]) -> None:
    """Unit vectors, of which the first two say nearly the same and the third something else."""
    dog, puppy, taxes = (np.array(vector) for vector in vectors)
    assert len(dog) == DIMENSIONS
    assert np.linalg.norm(dog) == pytest.approx(1, abs=1e-5)
    assert dog @ puppy > 0.5
    assert dog @ taxes < 0.3


@OPENAI
def test_openais_clients_read_base64_and_numbers_alike(client: ClientProcess, service: Service) -> None:
    as_it_asks = embed(client, service)  # base64, which both decode by themselves
    as_numbers = embed(client, service, encoding_format="float")
    assert_meaningful(vectors_of(as_it_asks))
    for coded, numbers in zip(vectors_of(as_it_asks), vectors_of(as_numbers), strict=True):
        assert np.dot(coded, numbers) / (np.linalg.norm(coded) * np.linalg.norm(numbers)) == pytest.approx(1, abs=1e-9)
        assert np.array(coded, np.float32).tolist() == np.array(numbers, np.float32).tolist()
    assert as_it_asks["model"] == MODEL
    assert as_it_asks["usage"]["prompt_tokens"] == as_it_asks["usage"]["total_tokens"] > 10


@OPENAI
@pytest.mark.parametrize(
    ("change", "error", "status"),
    [
        ({"model": "text-embedding-3-small"}, "NotFoundError", 404),
        ({"dimensions": 64}, "BadRequestError", 400),
        ({"input": [[101, 102]]}, "BadRequestError", 400),
        ({"input": ["a", ""]}, "BadRequestError", 400),
    ],
    ids=["model", "dimensions", "token-ids", "empty"],
)
def test_openais_clients_are_told_by_type_and_field(
    client: ClientProcess, service: Service, change: dict[str, Any], error: str, status: int
) -> None:
    outcome = embed(client, service, **change)
    assert (outcome["error"], outcome["status"], outcome["param"]) == (error, status, next(iter(change)))


@prem_clients.EVERY_CLIENT
def test_prems_clients_embed_many_or_one(client: ClientProcess, service: Service) -> None:
    answer = embed(client, service, project_id=prem_clients.PROJECT)
    assert_meaningful(vectors_of(answer))
    assert (answer["provider_name"], answer["provider_id"], answer["model"]) == ("footnote", "footnote", MODEL)
    (alone,) = vectors_of(embed(client, service, project_id=prem_clients.PROJECT, input=TEXTS[0]))
    assert alone == vectors_of(answer)[0]


@prem_clients.EVERY_CLIENT
def test_prems_clients_are_told_what_is_wrong(client: ClientProcess, service: Service) -> None:
    error = embed(client, service, project_id=prem_clients.PROJECT, model="prem/embed")["error"]
    assert error["code"] == "ModelNotFoundError"
    error = embed(client, service, project_id=prem_clients.PROJECT, input=[])["error"]
    assert error["code"] == "ValidationError"
    assert "input" in error["details"]


def test_langchain_embeds_documents_and_a_query(service: Service) -> None:
    request = {
        "model": {"project_id": prem_clients.PROJECT, "model": MODEL},
        "documents": TEXTS,
        "query": TEXTS[0],
    }
    answer = langchain_client.PROCESS.ask(service.url, service.key, "embed", request)
    assert_meaningful(answer["documents"])
    assert answer["query"] == answer["documents"][0]
