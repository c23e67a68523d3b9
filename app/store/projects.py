"""Projects and their defaults. The first one, id 1, is made with the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, text, update

from app.core.errors import NotFoundError
from app.core.library import Project
from app.core.ports import ProjectDefaults
from app.core.types import Caller, Json
from app.store.clock import now
from app.store.engine import Database
from app.store.tables import projects, repositories

DEFAULT_PROJECT = 1
# Asked for each request, so built once: building takes SQLAlchemy longer than the database takes to answer.
_BY_ID = select(projects).where(projects.c.id == bindparam("id"))
_IS_THERE = select(projects.c.id).where(projects.c.id == bindparam("id"))


class ProjectStore:
    """Rows of `projects`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ensure_default(self, caller: Caller) -> None:
        """Makes project 1 if it is not there; blocking, at start."""

        def work(connection: Connection) -> None:
            if not self._database.is_sqlite:  # SQLite's writers take turns anyway; here several processes may start
                connection.execute(text("LOCK TABLE projects IN SHARE ROW EXCLUSIVE MODE"))
            if connection.execute(select(projects.c.id).where(projects.c.id == DEFAULT_PROJECT)).first() is None:
                connection.execute(
                    insert(projects).values(id=caller.project_id, name="default", repository_ids=[], created_at=now())
                )
                if not self._database.is_sqlite:  # an explicit id does not move PostgreSQL's sequence
                    connection.execute(text("SELECT setval('projects_id_seq', (SELECT max(id) FROM projects))"))

        self._database.write_now(work)

    async def create(self, caller: Caller, name: str) -> Project:
        """A new project; `caller` must be allowed to administer (checked by core.access)."""
        del caller

        def work(connection: Connection) -> Project:
            values = {"name": name, "repository_ids": [], "created_at": now()}
            return _project(connection.execute(insert(projects).values(values).returning(projects)).one())

        return await self._database.write(work)

    async def all(self, caller: Caller) -> list[Project]:
        """All projects; for administrators."""
        del caller
        return await self._database.read(
            lambda connection: [_project(row) for row in connection.execute(select(projects).order_by(projects.c.id))]
        )

    async def get(self, caller: Caller) -> Project:
        """The caller's project; raises NotFoundError."""

        def work(connection: Connection) -> Project:
            row = connection.execute(_BY_ID, {"id": caller.project_id}).first()
            if row is None:
                raise NotFoundError(f"There is no project {caller.project_id} for this key.", field="project_id")
            return _project(row)

        return await self._database.look_up(work)

    async def defaults(self, caller: Caller) -> ProjectDefaults:
        """What the project says where a request is silent; raises NotFoundError."""
        project = await self.get(caller)
        return ProjectDefaults(
            project.model,
            project.system_prompt,
            project.repository_ids,
            project.retrieval_limit,
            project.similarity_threshold,
        )

    async def every_repository(self, caller: Caller) -> tuple[int, ...]:
        """The ids of all repositories of the project."""
        query = select(repositories.c.id).where(repositories.c.project_id == caller.project_id)
        return await self._database.read(lambda connection: tuple(connection.execute(query).scalars()))

    async def change(self, caller: Caller, values: dict[str, Json]) -> Project:
        """Sets some of name, model, system_prompt, repository_ids, retrieval_limit, similarity_threshold."""

        def work(connection: Connection) -> Project:
            statement = update(projects).where(projects.c.id == caller.project_id).values(values).returning(projects)
            row = connection.execute(statement).first()
            if row is None:
                raise NotFoundError(f"There is no project {caller.project_id} for this key.", field="project_id")
            return _project(row)

        return await self._database.write(work)


def check_project(connection: Connection, caller: Caller) -> None:
    """Raises NotFoundError when the caller's project is not there: the admin key may name any number."""
    if connection.execute(_IS_THERE, {"id": caller.project_id}).first() is None:
        raise NotFoundError(f"There is no project {caller.project_id}.", field="project_id")


def _project(row: Row[Any]) -> Project:
    return Project(
        id=row.id,
        name=row.name,
        model=row.model,
        system_prompt=row.system_prompt,
        repository_ids=tuple(row.repository_ids),
        retrieval_limit=row.retrieval_limit,
        similarity_threshold=row.similarity_threshold,
        created_at=row.created_at,
    )
