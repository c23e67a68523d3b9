"""Experiments, and the figures of their traces."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from app.core.errors import ConflictError, NotFoundError
from app.core.experiments import Experiment, ExperimentFilter, ExperimentStatus, NewExperiment, TraceFigures
from app.core.types import Caller, Json
from app.store.clock import now
from app.store.engine import Database
from app.store.tables import experiments, traces, workspaces

_FIGURES = ("id", "parent_id", "duration_ms", "prompt_tokens", "completion_tokens", "cost", "scores", "experiment_id")


class ExperimentStore:
    """Rows of `experiments`; reads `traces`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, caller: Caller, new: NewExperiment) -> Experiment:
        """A running experiment; raises NotFoundError for the workspace, ConflictError for a run name that is taken."""

        def work(connection: Connection) -> Experiment:
            mine = (workspaces.c.id == new.workspace_id) & (workspaces.c.project_id == caller.project_id)
            # Whoever makes one holds the workspace's row: of two runs with one name at once, the second is refused.
            held = select(workspaces.c.id).where(mine).with_for_update(key_share=True)
            if connection.execute(held).first() is None:
                raise NotFoundError(f"There is no project {new.workspace_id} here.", field="project_uuid")
            same = select(experiments.c.id).where(
                experiments.c.project_id == caller.project_id,
                experiments.c.workspace_id == new.workspace_id,
                experiments.c.name == new.name,
                experiments.c.run_name == new.run_name,
            )
            if connection.execute(same).first() is not None:
                raise ConflictError(
                    f"The experiment {new.name} has a run {new.run_name} already. Choose another run name.",
                    field="run_name",
                )
            values = {
                "id": str(uuid.uuid4()),
                "project_id": caller.project_id,
                "workspace_id": new.workspace_id,
                "name": new.name,
                "run_name": new.run_name,
                "metadata": dict(new.metadata),
                "status": ExperimentStatus.RUNNING.value,
                "dataset_stats": [],
                "created_at": now(),
            }
            return _experiment(connection.execute(insert(experiments).values(values).returning(experiments)).one())

        return await self._database.write(work)

    async def get(self, caller: Caller, experiment_id: str) -> Experiment:
        """Raises NotFoundError."""

        def work(connection: Connection) -> Experiment:
            row = connection.execute(select(experiments).where(_mine(caller, experiment_id))).first()
            if row is None:
                raise _missing(experiment_id)
            return _experiment(row)

        return await self._database.look_up(work)

    async def finish(
        self, caller: Caller, experiment_id: str, status: ExperimentStatus, stats: Sequence[Mapping[str, Json]]
    ) -> Experiment:
        """Says how it ended, and the scores of the whole run; raises NotFoundError."""
        values = {"status": status.value, "dataset_stats": [dict(each) for each in stats], "finished_at": now()}

        def work(connection: Connection) -> Experiment:
            statement = update(experiments).where(_mine(caller, experiment_id)).values(values).returning(experiments)
            row = connection.execute(statement).first()
            if row is None:
                raise _missing(experiment_id)
            return _experiment(row)

        return await self._database.write(work)

    async def find(
        self, caller: Caller, wanted: ExperimentFilter, limit: int, before: str | None = None
    ) -> list[Experiment]:
        """The newest first; `before` is the id of the last one of the page before, and raises NotFoundError."""
        query = select(experiments).where(experiments.c.project_id == caller.project_id)
        for column, value in (
            ("workspace_id", wanted.workspace_id),
            ("name", wanted.name),
            ("run_name", wanted.run_name),
        ):
            if value is not None:
                query = query.where(experiments.c[column] == value)
        if wanted.ids is not None:
            query = query.where(experiments.c.id.in_(wanted.ids))
        if before is not None:
            last = await self.get(caller, before)
            older = experiments.c.created_at < last.created_at
            query = query.where(older | ((experiments.c.created_at == last.created_at) & (experiments.c.id > last.id)))
        query = query.order_by(experiments.c.created_at.desc(), experiments.c.id)

        def work(connection: Connection) -> list[Experiment]:
            found: list[Experiment] = []
            for row in connection.execute(query):
                if len(found) == limit:
                    break
                if wanted.takes(row.metadata):
                    found.append(_experiment(row))
            return found

        return await self._database.read(work)

    async def figures(self, caller: Caller, experiment_ids: Sequence[str]) -> dict[str, list[TraceFigures]]:
        """The traces of each of these experiments, oldest first; those of nobody and of others have none."""
        query = (
            select(*(traces.c[name] for name in _FIGURES))
            .where(traces.c.project_id == caller.project_id, traces.c.experiment_id.in_(experiment_ids))
            .order_by(traces.c.created_at, traces.c.id)
        )

        def work(connection: Connection) -> dict[str, list[TraceFigures]]:
            found: dict[str, list[TraceFigures]] = {each: [] for each in experiment_ids}
            for row in connection.execute(query):
                found[row.experiment_id].append(_figures(row))
            return found

        return await self._database.read(work)


def _mine(caller: Caller, experiment_id: str) -> Any:
    return (experiments.c.id == experiment_id) & (experiments.c.project_id == caller.project_id)


def _missing(experiment_id: str) -> NotFoundError:
    return NotFoundError(f"There is no experiment {experiment_id} in this project.", field="experiment_uuid")


def _figures(row: Row[Any]) -> TraceFigures:
    return TraceFigures(
        id=row.id,
        parent_id=row.parent_id,
        latency_s=row.duration_ms / 1000,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        cost=row.cost,
        scores=tuple(row.scores),
    )


def _experiment(row: Row[Any]) -> Experiment:
    return Experiment(
        id=row.id,
        workspace_id=row.workspace_id,
        name=row.name,
        run_name=row.run_name,
        metadata=row.metadata,
        status=ExperimentStatus(row.status),
        dataset_stats=tuple(row.dataset_stats),
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
