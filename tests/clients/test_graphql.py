"""A GraphQL client that fetches the schema and checks its queries against it works through the todo list."""

from __future__ import annotations

import json

import pytest

from tests.clients.service_process import Service
from tests.clients.vendor_process import python_command, run_once

pytestmark = pytest.mark.peer


def test_gql_works_through_the_todo_list(service: Service) -> None:
    told = json.loads(run_once(python_command("gql", "gql_todos.py"), service.url, service.key))
    made = told.pop("made")
    assert (made["title"], made["completed"]) == ("Test Todo", False)
    assert told == {
        "listed": True,
        "toggled": True,
        "deleted": True,
        "refusal": "not_found",
        "unauthorized": 401,
    }
