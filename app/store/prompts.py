"""Saved prompts and their versions: Prem's templates, Parea's deployments, Promptrun's prompts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from app.core.errors import InvalidRequestError, NotFoundError
from app.core.library import NewPromptVersion, PromptMessage, PromptVersion, SavedPrompt
from app.core.types import Caller
from app.store.clock import now
from app.store.engine import Database
from app.store.projects import check_project
from app.store.tables import prompt_versions, prompts


class PromptStore:
    """Rows of `prompts` and `prompt_versions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, caller: Caller, name: str, version: NewPromptVersion) -> PromptVersion:
        """A new prompt with its first version."""
        prompt_id = str(uuid.uuid4())

        def work(connection: Connection) -> PromptVersion:
            check_project(connection, caller)
            values = {"id": prompt_id, "project_id": caller.project_id, "name": name, "created_at": now()}
            connection.execute(insert(prompts).values(values))
            return _add(connection, caller, prompt_id, 1, version)

        return await self._database.write(work)

    async def add_version(self, caller: Caller, prompt_id: str, version: NewPromptVersion) -> PromptVersion:
        """The next version of a prompt; raises NotFoundError. Its tag is taken from the version that had it."""

        def work(connection: Connection) -> PromptVersion:
            _lock(connection, caller, prompt_id)
            last = connection.execute(
                select(func.max(prompt_versions.c.number)).where(prompt_versions.c.prompt_id == prompt_id)
            ).scalar_one()
            return _add(connection, caller, prompt_id, last + 1, version)

        return await self._database.write(work)

    async def tag(self, caller: Caller, prompt_id: str, number: int, tag: str | None) -> PromptVersion:
        """Moves a tag to a version, or takes it off with None; raises NotFoundError."""

        def work(connection: Connection) -> PromptVersion:
            _lock(connection, caller, prompt_id)
            if tag is not None:
                _free_tag(connection, prompt_id, tag)
            changed = connection.execute(
                update(prompt_versions)
                .where(prompt_versions.c.prompt_id == prompt_id, prompt_versions.c.number == number)
                .values(tag=tag)
            )
            if changed.rowcount == 0:
                raise NotFoundError(f"The prompt {prompt_id} has no version {number}.")
            return _only(connection, _versions(caller, prompt_id).where(prompt_versions.c.number == number), prompt_id)

        return await self._database.write(work)

    async def get(
        self, caller: Caller, prompt: str, number: int | None = None, tag: str | None = None
    ) -> PromptVersion:
        """A version of the prompt with this id, else of the newest with this name; its newest one unless told which.

        Raises NotFoundError.
        """

        def work(connection: Connection) -> PromptVersion:
            prompt_id = _find(connection, caller, prompt)
            query = _versions(caller, prompt_id)
            if number is not None:
                query = query.where(prompt_versions.c.number == number)
            if tag is not None:
                query = query.where(prompt_versions.c.tag == tag)
            row = connection.execute(query.order_by(prompt_versions.c.number.desc()).limit(1)).first()
            if row is None:
                which = " and ".join(
                    part
                    for part in (f"number {number}" if number is not None else "", f"tag {tag!r}" if tag else "")
                    if part
                )
                raise NotFoundError(f"The prompt {prompt} has no version with {which}.")
            return _version(row)

        return await self._database.look_up(work)

    async def versions(self, caller: Caller, prompt_id: str) -> list[PromptVersion]:
        """All versions, newest first; raises NotFoundError."""

        def work(connection: Connection) -> list[PromptVersion]:
            found = _find(connection, caller, prompt_id)
            rows = connection.execute(_versions(caller, found).order_by(prompt_versions.c.number.desc()))
            return [_version(row) for row in rows]

        return await self._database.read(work)

    async def all(self, caller: Caller) -> list[SavedPrompt]:
        """The prompts of the project, newest first, each with the number of its newest version."""
        newest = func.max(prompt_versions.c.number).label("versions")
        query = (
            select(prompts, newest)
            .join(prompt_versions, prompt_versions.c.prompt_id == prompts.c.id)
            .where(prompts.c.project_id == caller.project_id)
            .group_by(prompts.c.id)
            .order_by(prompts.c.created_at.desc(), prompts.c.id)
        )
        return await self._database.read(
            lambda connection: [
                SavedPrompt(row.id, row.name, row.versions, row.created_at) for row in connection.execute(query)
            ]
        )

    async def delete(self, caller: Caller, prompt_id: str) -> None:
        """Deletes a prompt with all its versions; raises NotFoundError."""

        def work(connection: Connection) -> None:
            mine = (prompts.c.id == prompt_id) & (prompts.c.project_id == caller.project_id)
            if connection.execute(delete(prompts).where(mine)).rowcount == 0:
                raise _absent(prompt_id)

        await self._database.write(work)

    async def contents(self, caller: Caller, template_ids: Sequence[str]) -> dict[str, str]:
        """The texts of prompts of one message, newest version, by id.

        Raises NotFoundError for the first that is not there, InvalidRequestError for one of several messages.
        """

        def work(connection: Connection) -> dict[str, str]:
            found = {}
            for template_id in dict.fromkeys(template_ids):
                newest = _versions(caller, template_id).order_by(prompt_versions.c.number.desc()).limit(1)
                row = connection.execute(newest).first()
                if row is None:
                    raise NotFoundError(
                        f"There is no template {template_id} in this project.", field="messages.template_id"
                    )
                if len(row.messages) != 1:
                    raise InvalidRequestError(
                        f"The prompt {template_id} has {len(row.messages)} messages; a template has one.",
                        field="messages.template_id",
                    )
                found[template_id] = row.messages[0]["content"]
            return found

        return await self._database.look_up(work)


def _versions(caller: Caller, prompt_id: str) -> Select[Any]:
    return (
        select(prompt_versions, prompts.c.name)
        .join(prompts, prompts.c.id == prompt_versions.c.prompt_id)
        .where(prompt_versions.c.prompt_id == prompt_id, prompt_versions.c.project_id == caller.project_id)
    )


def _find(connection: Connection, caller: Caller, prompt: str) -> str:
    mine = prompts.c.project_id == caller.project_id
    by_id = connection.execute(select(prompts.c.id).where(mine, prompts.c.id == prompt)).scalar()
    if by_id is not None:
        return str(by_id)
    named = select(prompts.c.id).where(mine, prompts.c.name == prompt).order_by(prompts.c.created_at.desc()).limit(1)
    by_name = connection.execute(named).scalar()
    if by_name is None:
        raise _absent(prompt)
    return str(by_name)


def _lock(connection: Connection, caller: Caller, prompt_id: str) -> None:
    """Holds the prompt's row, so that two new versions at once get two numbers; raises NotFoundError."""
    mine = (prompts.c.id == prompt_id) & (prompts.c.project_id == caller.project_id)
    if connection.execute(select(prompts.c.id).where(mine).with_for_update()).first() is None:
        raise _absent(prompt_id)


def _free_tag(connection: Connection, prompt_id: str, tag: str) -> None:
    holds = (prompt_versions.c.prompt_id == prompt_id) & (prompt_versions.c.tag == tag)
    connection.execute(update(prompt_versions).where(holds).values(tag=None))


def _add(
    connection: Connection, caller: Caller, prompt_id: str, number: int, version: NewPromptVersion
) -> PromptVersion:
    if version.tag is not None:
        _free_tag(connection, prompt_id, version.tag)
    values = {
        "project_id": caller.project_id,
        "prompt_id": prompt_id,
        "number": number,
        "messages": [{"role": message.role, "content": message.content} for message in version.messages],
        "model": version.model,
        "params": dict(version.params),
        "functions": [dict(function) for function in version.functions],
        "function_call": version.function_call,
        "tag": version.tag,
        "note": version.note,
        "created_by": caller.user,
        "created_at": now(),
    }
    connection.execute(insert(prompt_versions).values(values))
    return _only(connection, _versions(caller, prompt_id).where(prompt_versions.c.number == number), prompt_id)


def _only(connection: Connection, query: Select[Any], prompt_id: str) -> PromptVersion:
    row = connection.execute(query).first()
    if row is None:
        raise _absent(prompt_id)
    return _version(row)


def _absent(prompt: str) -> NotFoundError:
    return NotFoundError(f"There is no prompt {prompt} in this project.")


def _version(row: Row[Any]) -> PromptVersion:
    return PromptVersion(
        prompt_id=row.prompt_id,
        name=row.name,
        number=row.number,
        messages=tuple(PromptMessage(each["role"], each["content"]) for each in row.messages),
        model=row.model,
        params=row.params,
        functions=tuple(row.functions),
        function_call=row.function_call,
        tag=row.tag,
        note=row.note,
        created_by=row.created_by,
        created_at=row.created_at,
    )
