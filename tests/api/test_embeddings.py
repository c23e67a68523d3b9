"""/v1/embeddings in OpenAI's format and in Prem's."""

from __future__ import annotations

import base64
from typing import Any

import httpx2
import numpy as np
import pytest

from tests.api.refusals import NOT_THERE, assert_error, assert_needs_key

MODEL = "footnote/hashing"
TEXTS = ["Who may borrow the chainsaw?", "même à Noël 🎄", "ladder " * 700]


def embed(client: httpx2.Client, prefix: str = "/v1", **body: Any) -> dict[str, Any]:
    response = client.post(f"{prefix}/embeddings", json={"model": MODEL, **body})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def vectors_of(answer: dict[str, Any]) -> list[list[float]]:
    assert [each["index"] for each in answer["data"]] == list(range(len(answer["data"])))
    return [each["embedding"] for each in answer["data"]]


@pytest.mark.parametrize("prefix", ["/v1", "/openai/v1", "/api/v1"])
def test_an_answer_is_openais_and_prems_in_one(api: httpx2.Client, prefix: str) -> None:
    answer = embed(api, prefix, input=TEXTS)
    assert answer["object"] == "list"
    assert {each["object"] for each in answer["data"]} == {"embedding"}
    assert answer["model"] == MODEL
    assert answer["provider_name"] == answer["provider_id"] == "footnote"
    for vector in vectors_of(answer):
        assert len(vector) == 384
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert answer == embed(api, input=TEXTS, project_id=1)


def test_base64_is_the_same_numbers(api: httpx2.Client) -> None:
    floats = vectors_of(embed(api, input=TEXTS))
    coded = vectors_of(embed(api, input=TEXTS, encoding_format="base64"))
    for numbers, text in zip(floats, coded, strict=True):
        assert isinstance(text, str)
        decoded = np.frombuffer(base64.b64decode(text, validate=True), "<f4")
        assert decoded.tolist() == np.array(numbers, np.float32).tolist()


def test_one_text_or_a_list_of_one(api: httpx2.Client) -> None:
    assert embed(api, input="ladder") == embed(api, input=["ladder"]) == embed(api, input="ladder", model="hashing")
    assert embed(api, input="ladder", dimensions=384, user="ada", encoding_format="float") == embed(api, input="ladder")


def test_a_text_longer_than_the_window_is_read_to_its_end(api: httpx2.Client) -> None:
    cut, whole, end = vectors_of(embed(api, input=["ladder " * 600, "ladder " * 600 + "saw " * 300, "saw"]))
    assert np.dot(whole, end) > np.dot(cut, end) + 0.1
    usage = embed(api, input=["ladder " * 600, "saw"])["usage"]
    assert usage == {"prompt_tokens": 601, "total_tokens": 601}


@pytest.mark.parametrize(
    ("change", "status", "field", "says"),
    [
        ({"model": "openai/text-embedding-3-small"}, 404, "model", MODEL),
        ({"model": "footnote/extractive"}, 404, "model", MODEL),
        ({"model": None}, 400, "model", "string"),
        ({"model": 3}, 400, "model", "string"),
        ({"input": None}, 400, "input", "a list of texts"),
        ({"input": []}, 400, "input", "a list of texts"),
        ({"input": {}}, 400, "input", "a list of texts"),
        ({"input": True}, 400, "input", "a list of texts"),
        ({"input": ["a", 1]}, 400, "input", "a list of texts"),
        ({"input": ""}, 400, "input", "number 1 is empty"),
        ({"input": ["a", ""]}, 400, "input", "number 2 is empty"),
        ({"input": ["a", " \n"]}, 400, "input", "input.1"),
        ({"input": [1, 2, 3]}, 400, "input", "token ids"),
        ({"input": [[1, 2], [3]]}, 400, "input", "check_embedding_ctx_length"),
        ({"input": ["a"] * 21}, 400, "input", "20 texts"),
        ({"input": ["a " * 1500, "a " * 501]}, 400, "input", "2000 tokens"),
        ({"dimensions": 128}, 400, "dimensions", "384"),
        ({"dimensions": "384"}, 400, "dimensions", "integer"),
        ({"encoding_format": "hex"}, 400, "encoding_format", "base64"),
        ({"project_id": "1"}, 400, "project_id", "integer"),
        ({"project_id": True}, 400, "project_id", "integer"),
        ({"project_id": 0}, 404, "project_id", "no project 0"),
        ({"project_id": NOT_THERE}, 404, None, "project"),
        ({"project_id": 2**40}, 404, None, "2"),
        ({"user": 7}, 400, "user", "string"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    api: httpx2.Client, change: dict[str, Any], status: int, field: str | None, says: str
) -> None:
    response = api.post("/v1/embeddings", json={"model": MODEL, "input": "ladder", **change})
    assert_error(response, status, field=field, says=says)


def test_no_json_and_no_object(api: httpx2.Client) -> None:
    assert_error(api.post("/v1/embeddings", content=b'{"model": '), 400, says="not JSON")
    assert_error(api.post("/v1/embeddings", content=b'["a"]'), 400, says="object")
    assert_error(api.post("/v1/embeddings", content=b'{"model": "hashing", "input": "\\ud800"}'), 400, says="not JSON")


def test_needs_a_key_and_only_reading(nobody: httpx2.Client, reader: httpx2.Client) -> None:
    for prefix in ("/v1", "/openai/v1", "/api/v1"):
        assert_needs_key(nobody, "POST", f"{prefix}/embeddings", json={"model": MODEL, "input": "a"})
    assert embed(reader, input="a")


def test_a_foreign_project_is_none(stranger: httpx2.Client, api: httpx2.Client) -> None:
    request = {"model": MODEL, "input": "a", "project_id": 1}
    assert_error(stranger.post("/v1/embeddings", json=request), 404, says="no project 1")
    assert_error(stranger.post("/v1/embeddings", json=request | {"project_id": NOT_THERE}), 404, says="no project")


def test_the_log_says_whose_it_was(api: httpx2.Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "footnote"):
        for more in ({"user": "ann"}, {"user": "ann", "project_id": 1}):
            assert api.post("/v1/embeddings", json={"model": MODEL, "input": "a", **more}).status_code == 200
    assert [message.partition(" tokens ")[2] for message in caplog.messages] == ["for project 1, user 'ann'"] * 2
