"""Job rows: what a person sees of an ingest, and what its steps read and write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from app.core.errors import ConflictError, NotFoundError
from app.core.library import Job, JobState
from app.core.types import Caller
from app.store.clock import now
from app.store.engine import Database
from app.store.tables import documents, jobs

FIELDS = (
    "id",
    "repository_id",
    "document_id",
    "version_id",
    "attempt",
    "state",
    "stage",
    "done",
    "total",
    "error",
    "created_at",
    "updated_at",
)


def job_columns() -> Sequence[ColumnElement[Any]]:
    """The columns `to_job` reads, labelled so that they can stand beside a document's."""
    return [jobs.c[name].label(f"job_{name}") for name in FIELDS] + [
        func.coalesce(documents.c.name, "").label("job_document_name")
    ]


def to_job(row: Row[Any]) -> Job:
    values = {name: getattr(row, f"job_{name}") for name in (*FIELDS, "document_name")}
    return Job(**{**values, "state": JobState(values["state"])})


def cancel_jobs(connection: Connection, which: ColumnElement[bool], reason: str) -> None:
    """Ends the unfinished ones of these jobs, within a transaction."""
    unfinished = jobs.c.state.in_([JobState.QUEUED, JobState.RUNNING])
    values = {"state": JobState.CANCELLED, "error": reason, "updated_at": now()}
    connection.execute(update(jobs).where(which, unfinished).values(values))


class JobStore:
    """Rows of `jobs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, caller: Caller, job_id: int) -> Job:
        """Raises NotFoundError; a job outlives its document, under an empty name."""

        def work(connection: Connection) -> Job:
            query = (
                select(*job_columns())
                .select_from(jobs)
                .outerjoin(documents, documents.c.id == jobs.c.document_id)
                .where(jobs.c.id == job_id, jobs.c.project_id == caller.project_id)
            )
            row = connection.execute(query).first()
            if row is None:
                raise NotFoundError(f"There is no job {job_id} in this project.")
            return to_job(row)

        return await self._database.read(work)

    async def request_cancel(self, caller: Caller, job_id: int) -> Job:
        """Marks an unfinished job to stop at its next step; a finished one is left as it is."""

        def work(connection: Connection) -> None:
            unfinished = jobs.c.state.in_([JobState.QUEUED, JobState.RUNNING])
            connection.execute(
                update(jobs)
                .where(jobs.c.id == job_id, jobs.c.project_id == caller.project_id, unfinished)
                .values(cancel_requested=True, updated_at=now())
            )

        await self._database.write(work)
        return await self.get(caller, job_id)

    async def retry(self, caller: Caller, job_id: int) -> Job:
        """Another attempt at the version of a failed or cancelled job; raises ConflictError for any other."""

        def work(connection: Connection) -> int:
            mine = (jobs.c.id == job_id) & (jobs.c.project_id == caller.project_id)
            row = connection.execute(select(jobs).where(mine)).first()
            if row is None:
                raise NotFoundError(f"There is no job {job_id} in this project.")
            newest = connection.execute(
                select(func.max(jobs.c.id))
                .join(documents, documents.c.id == jobs.c.document_id)
                .where(jobs.c.document_id == row.document_id)
            ).scalar()
            if row.state not in (JobState.FAILED, JobState.CANCELLED) or newest != job_id:
                raise ConflictError(
                    f"Job {job_id} is {row.state}: only the newest job of a document that is still there, and only a "
                    "failed or cancelled one, can be tried again."
                )
            return insert_job(connection, caller, row.repository_id, row.document_id, row.version_id, row.attempt + 1)

        return await self.get(caller, await self._database.write(work))

    def unfinished(self, caller: Caller | None = None) -> list[tuple[int, int]]:
        """(job id, attempt) of everything queued or running, oldest first; of all projects for None. Blocking."""
        query = select(jobs.c.id, jobs.c.attempt).where(jobs.c.state.in_([JobState.QUEUED, JobState.RUNNING]))
        if caller is not None:
            query = query.where(jobs.c.project_id == caller.project_id)
        query = query.order_by(jobs.c.id)
        return self._database.read_now(lambda connection: [(row.id, row.attempt) for row in connection.execute(query)])


def insert_job(
    connection: Connection, caller: Caller, repository_id: int, document_id: int, version_id: int, attempt: int
) -> int:
    """A queued job, within a transaction; returns its id."""
    moment = now()
    values = {
        "project_id": caller.project_id,
        "repository_id": repository_id,
        "document_id": document_id,
        "version_id": version_id,
        "attempt": attempt,
        "state": JobState.QUEUED,
        "stage": "queued",
        "done": 0,
        "cancel_requested": False,
        "created_at": moment,
        "updated_at": moment,
    }
    return int(connection.execute(insert(jobs).values(values).returning(jobs.c.id)).scalar_one())
