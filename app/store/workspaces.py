"""Workspaces: groups of logs and experiments inside a project, by name; what Parea calls projects."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from app.core.errors import NotFoundError
from app.core.types import Caller
from app.core.workspaces import Workspace
from app.store.clock import now
from app.store.engine import Database
from app.store.projects import check_project
from app.store.tables import projects, workspaces


class WorkspaceStore:
    """Rows of `workspaces`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_or_get(self, caller: Caller, name: str) -> tuple[Workspace, bool]:
        """The workspace of this name, and whether it is new; raises NotFoundError for an unknown project."""
        if (found := await self.find(caller, name)) is not None:
            return found, False

        def work(connection: Connection) -> tuple[Workspace, bool]:
            check_project(connection, caller)
            # Whoever makes one holds the project's row: of two with one name at once, the second finds the first's.
            connection.execute(
                select(projects.c.id).where(projects.c.id == caller.project_id).with_for_update(key_share=True)
            )
            row = connection.execute(_named(caller, name)).first()
            if row is not None:
                return _workspace(row), False
            values = {"id": str(uuid.uuid4()), "project_id": caller.project_id, "name": name, "created_at": now()}
            return _workspace(connection.execute(insert(workspaces).values(values).returning(workspaces)).one()), True

        return await self._database.write(work)

    async def find(self, caller: Caller, name: str) -> Workspace | None:
        """The workspace of this name, if there is one."""

        def work(connection: Connection) -> Workspace | None:
            row = connection.execute(_named(caller, name)).first()
            return None if row is None else _workspace(row)

        return await self._database.look_up(work)

    async def get(self, caller: Caller, workspace_id: str) -> Workspace:
        """Raises NotFoundError."""

        def work(connection: Connection) -> Workspace:
            mine = (workspaces.c.id == workspace_id) & (workspaces.c.project_id == caller.project_id)
            row = connection.execute(select(workspaces).where(mine)).first()
            if row is None:
                raise NotFoundError(
                    f"There is no project {workspace_id} here: `POST /project` with a name makes one, or finds it.",
                    field="project_uuid",
                )
            return _workspace(row)

        return await self._database.look_up(work)


def _named(caller: Caller, name: str) -> Any:
    return select(workspaces).where(workspaces.c.project_id == caller.project_id, workspaces.c.name == name)


def _workspace(row: Row[Any]) -> Workspace:
    return Workspace(row.id, row.name, row.created_at)
