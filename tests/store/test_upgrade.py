"""A database of the first release is brought to the present schema with nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from app.core.types import Caller
from app.store.engine import Database
from app.store.journal import JournalStore
from app.store.migrate import FOLDER, HEAD, migrate
from app.store.prompts import PromptStore
from app.store.threads import ThreadStore

TEMPLATE, THREAD, TRACE = ("00000000-0000-4000-8000-00000000000" + last for last in "123")
DETAIL = {
    "user": "ada",
    "thread_id": THREAD,
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    "answer": "Three days.",
}
ROWS = (
    "INSERT INTO projects (id, name, repository_ids, created_at) VALUES (1, 'default', '[]', 1.0)",
    f"INSERT INTO templates VALUES ('{TEMPLATE}', 1, 'greeting', 'Hello ${{name}}', 2.0)",
    f"""INSERT INTO threads (id, project_id, "user", session, created_at) VALUES ('{THREAD}', 1, 'ada', 'chat', 3.0)""",
    "INSERT INTO turns (project_id, thread_id, number, question, answer, trace_id, created_at) "
    f"VALUES (1, '{THREAD}', 1, 'Q1', 'A1', '{TRACE}', 3.0), (1, '{THREAD}', 2, 'Q2', 'A2', 'another', 4.0)",
    "INSERT INTO traces (id, project_id, created_at, outcome, model, question, duration_ms, detail) "
    f"VALUES ('{TRACE}', 1, 3.0, 'stop', 'footnote/extractive', 'Q1', 2.5, '{json.dumps(DETAIL)}')",
)


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
async def test_the_first_releases_rows_are_all_there(backend: str, database_url: Callable[[str, str], str]) -> None:
    database = Database(database_url(backend, "upgraded"))
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for row in ROWS:
            connection.execute(text(row.replace(":", "\\:")))

    assert migrate(database) == HEAD

    ada = Caller(1, user="ada")
    assert await PromptStore(database).contents(ada, [TEMPLATE]) == {TEMPLATE: "Hello ${name}"}
    newest = await PromptStore(database).get(ada, TEMPLATE)
    assert (newest.name, newest.number, newest.created_at) == ("greeting", 1, 2.0)
    thread = await ThreadStore(database).open(ada, "chat")
    assert [(turn.number, turn.answer) for turn in thread.turns] == [(1, "A1"), (2, "A2")]
    assert thread == await ThreadStore(database).open(ada, None, THREAD, 2)
    trace = await JournalStore(database).get(ada, TRACE)
    assert (trace.kind, trace.root_id, trace.user, trace.thread_id) == ("completion", TRACE, "ada", THREAD)
    assert (trace.prompt_tokens, trace.completion_tokens, trace.cost, trace.scores) == (7, 3, None, ())
    assert trace.detail == DETAIL
    database.close()
