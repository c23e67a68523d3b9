"""Prompt templates."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from app.core.errors import NotFoundError
from app.core.types import Caller
from app.store.clock import now
from app.store.engine import Database
from app.store.projects import check_project
from app.store.tables import templates


class TemplateStore:
    """Rows of `templates`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, caller: Caller, name: str, content: str) -> str:
        """The new template's id, a UUID."""
        template_id = str(uuid.uuid4())
        values = {
            "id": template_id,
            "project_id": caller.project_id,
            "name": name,
            "content": content,
            "created_at": now(),
        }

        def work(connection: Connection) -> None:
            check_project(connection, caller)
            connection.execute(insert(templates).values(values))

        await self._database.write(work)
        return template_id

    async def contents(self, caller: Caller, template_ids: Sequence[str]) -> dict[str, str]:
        """Template texts by id; raises NotFoundError for the first that is not there."""

        def work(connection: Connection) -> dict[str, str]:
            query = select(templates.c.id, templates.c.content).where(
                templates.c.project_id == caller.project_id, templates.c.id.in_(template_ids)
            )
            found = {row.id: row.content for row in connection.execute(query)}
            for template_id in template_ids:
                if template_id not in found:
                    raise NotFoundError(
                        f"There is no template {template_id} in this project.", field="messages.template_id"
                    )
            return found

        return await self._database.look_up(work)
