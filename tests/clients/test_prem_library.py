"""Prem's own clients make repositories, upload documents in all three ways, and ask about them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.corpus import NOTICE, NOTICE_ANSWER, NOTICE_QUESTION, UNKNOWN_REPOSITORY, user
from tests.clients.prem_clients import CLIENTS, ask, call
from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess

pytestmark = pytest.mark.peer

FILES = ("premai-0.3.76", "prem-sdk-0.3.100")  # 0.3.107 cannot: it fails before it sends anything
MAKERS = ("premai-0.3.107", *FILES)


def make_repository(client: ClientProcess, service: Service, **more: Any) -> dict[str, Any]:
    asked = {"name": "Notices", "organization": "Harbour Street", **more}
    node = client is CLIENTS["prem-sdk-0.3.100"]
    return call(client, service, "repositories.create", *([asked] if node else []), **({} if node else asked))


def upload(client: ClientProcess, service: Service, repository_id: int, name: str, content: str) -> dict[str, Any]:
    """As a file; as JSON by the client that knows nothing else."""
    if client is CLIENTS["premai-0.3.25"]:
        text = {"name": name, "content": content, "document_type": "text"}
        return call(client, service, "repository.document.create", repository_id=repository_id, **text)
    file = {"repository_id": repository_id, "name": name, "content": content}
    return client.ask(service.url, service.key, "file", file)


@pytest.mark.parametrize("name", MAKERS)
def test_a_repository_is_made(name: str, service: Service) -> None:
    made = make_repository(CLIENTS[name], service, description="On the board")
    assert made["name"] == "Notices"
    assert made["organization"] == "Harbour Street"
    assert made["description"] == "On the board"
    assert service.get(f"/v1/repositories/{made['id']}")["name"] == "Notices"


@pytest.mark.parametrize("name", MAKERS)
def test_a_repository_without_a_name(name: str, service: Service) -> None:
    error = make_repository(CLIENTS[name], service, name="")["error"]
    assert error["code"] == "ValidationError"
    assert "`name`" in error["message"]


@pytest.mark.parametrize("name", [*FILES, "premai-0.3.25"])
def test_a_document_is_taken_and_answers(name: str, service: Service) -> None:
    client = CLIENTS[name]
    repository = service.post("/v1/repositories", json={"name": f"Uploads of {name}"})["id"]
    taken = upload(client, service, repository, "notice.md", NOTICE)
    assert taken["repository_id"] == repository
    assert taken["name"] == "notice.md"
    assert taken["document_type"] == ("text" if name == "premai-0.3.25" else "txt")
    assert taken["status"] in ("UPLOADED", "COMPLETED")
    assert taken["error"] is None
    service.wait_for(taken["document_id"])
    again = upload(client, service, repository, "notice.md", NOTICE)
    assert (again["document_id"], again["status"]) == (taken["document_id"], "COMPLETED")
    assert again["chunk_count"] == 1
    answer = ask(client, service, "sync", messages=user(NOTICE_QUESTION), repositories={"ids": [repository]})
    assert NOTICE_ANSWER in answer["choices"][0]["message"]["content"]
    (chunk,) = answer["document_chunks"]
    assert (chunk["document_id"], chunk["document_name"]) == (taken["document_id"], "notice.md")


@pytest.mark.parametrize("name", [*FILES, "premai-0.3.25"])
def test_a_document_for_nowhere_and_one_without_a_word(name: str, service: Service, repository_id: int) -> None:
    lost = upload(CLIENTS[name], service, UNKNOWN_REPOSITORY, "notice.md", NOTICE)["error"]
    assert lost["code"] == "ProviderNotFoundError"
    assert str(UNKNOWN_REPOSITORY) in lost["message"]
    empty = upload(CLIENTS[name], service, repository_id, "empty.md", "")["error"]
    assert empty["code"] == "ValidationError"


def test_prem_sdk_without_a_form_is_told_how(service: Service, repository_id: int) -> None:
    """Its own types have no place for the file."""
    client = CLIENTS["prem-sdk-0.3.100"]
    error = call(client, service, "repository.document.create", repository_id)["error"]
    assert error["code"] == "ValidationError"
    assert "{data: form}" in error["message"]
