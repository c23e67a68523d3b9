"""What five vendors' clients keep: prompts, feedback, experiments, datasets, todos; traces that nest.

Templates become prompts with one version. A trace's id is unique in its project only: callers may choose it.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def jsonb() -> sa.types.TypeEngine[Any]:
    return sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def project(table: str) -> list[Any]:
    return [
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f(f"fk_{table}_project_id_projects"), ondelete="CASCADE"
        ),
    ]


def upgrade() -> None:
    create_prompts()
    templates_to_prompts()
    change_traces()
    with op.batch_alter_table("turns") as batch:
        batch.alter_column("trace_id", type_=sa.String(100), existing_type=sa.String(36), existing_nullable=False)
        batch.add_column(sa.Column("follows", sa.Integer(), nullable=True))
    op.execute("UPDATE turns SET follows = number - 1 WHERE number > 1")
    create_experiments()
    create_todos()


def create_prompts() -> None:
    op.create_table(
        "prompts",
        sa.Column("id", sa.String(36), nullable=False),
        *project("prompts"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompts")),
    )
    op.create_index(op.f("ix_prompts_project_id_name"), "prompts", ["project_id", "name"])
    op.create_table(
        "prompt_versions",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        *project("prompt_versions"),
        sa.Column("prompt_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("messages", jsonb(), nullable=False),
        sa.Column("model", sa.String(200)),
        sa.Column("params", jsonb(), nullable=False),
        sa.Column("functions", jsonb(), nullable=False),
        sa.Column("function_call", jsonb()),
        sa.Column("tag", sa.String(100)),
        sa.Column("note", sa.Text()),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["prompt_id"], ["prompts.id"], name=op.f("fk_prompt_versions_prompt_id_prompts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompt_versions")),
        sa.UniqueConstraint("prompt_id", "number", name=op.f("uq_prompt_versions_prompt_id_number")),
        sa.UniqueConstraint("prompt_id", "tag", name=op.f("uq_prompt_versions_prompt_id_tag")),
    )


def templates_to_prompts() -> None:
    op.execute(
        "INSERT INTO prompts (id, project_id, name, created_at) SELECT id, project_id, name, created_at FROM templates"
    )
    connection = op.get_bind()
    templates = sa.table(
        "templates", *(sa.column(name) for name in ("id", "project_id", "name", "content", "created_at"))
    )
    versions = sa.table(
        "prompt_versions",
        *(sa.column(name) for name in ("project_id", "prompt_id", "number", "created_by", "created_at")),
        *(sa.column(name, jsonb()) for name in ("messages", "params", "functions")),
    )
    for row in connection.execute(sa.select(templates)).all():
        connection.execute(
            versions.insert().values(
                project_id=row.project_id,
                prompt_id=row.id,
                number=1,
                messages=[{"role": "user", "content": row.content}],
                params={},
                functions=[],
                created_by="",
                created_at=row.created_at,
            )
        )
    op.drop_table("templates")


def change_traces() -> None:
    op.drop_index(op.f("ix_traces_project_id_created_at"), table_name="traces")
    with op.batch_alter_table("traces") as batch:
        batch.alter_column("id", type_=sa.String(100), existing_type=sa.String(36), existing_nullable=False)
        batch.add_column(sa.Column("kind", sa.String(20), nullable=False, server_default="completion"))
        batch.add_column(sa.Column("prompt_tokens", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("completion_tokens", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("cost", sa.Float()))
        batch.add_column(sa.Column("name", sa.String(500)))
        batch.add_column(sa.Column("parent_id", sa.String(100)))
        batch.add_column(sa.Column("root_id", sa.String(100), nullable=False, server_default=""))
        batch.add_column(sa.Column("user", sa.String(200), nullable=False, server_default=""))
        batch.add_column(sa.Column("thread_id", sa.String(36)))
        batch.add_column(sa.Column("workspace_id", sa.String(36)))
        batch.add_column(sa.Column("experiment_id", sa.String(36)))
        batch.add_column(sa.Column("cache_key", sa.String(64)))
        batch.add_column(sa.Column("scores", jsonb(), nullable=False, server_default="[]"))
        batch.drop_constraint(op.f("pk_traces"), type_="primary")
        batch.create_primary_key(op.f("pk_traces"), ["project_id", "id"])
    connection = op.get_bind()
    traces = sa.table(
        "traces",
        *(
            sa.column(name)
            for name in ("id", "project_id", "root_id", "user", "thread_id", "prompt_tokens", "completion_tokens")
        ),
        sa.column("detail", jsonb()),
    )
    for row in connection.execute(sa.select(traces.c.id, traces.c.project_id, traces.c.detail)).all():
        usage = row.detail.get("usage") or {}
        connection.execute(
            traces.update()
            .where(traces.c.id == row.id, traces.c.project_id == row.project_id)
            .values(
                root_id=row.id,
                user=row.detail.get("user") or "",
                thread_id=row.detail.get("thread_id"),
                prompt_tokens=usage.get("prompt_tokens", 0),
                completion_tokens=usage.get("completion_tokens", 0),
            )
        )
    with op.batch_alter_table("traces") as batch:
        for name, kind in (
            ("kind", sa.String(20)),
            ("prompt_tokens", sa.Integer()),
            ("completion_tokens", sa.Integer()),
            ("root_id", sa.String(100)),
            ("user", sa.String(200)),
            ("scores", jsonb()),
        ):
            batch.alter_column(name, server_default=None, existing_type=kind, existing_nullable=False)
    for column in ("created_at", "root_id", "experiment_id", "thread_id", "cache_key"):
        op.create_index(op.f(f"ix_traces_project_id_{column}"), "traces", ["project_id", column])
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("trace_id", sa.String(100), nullable=False),
        sa.Column("positive", sa.Boolean()),
        sa.Column("score", sa.Float()),
        sa.Column("name", sa.String(500)),
        sa.Column("target", sa.Text()),
        sa.Column("comment", sa.Text()),
        sa.Column("messages", jsonb(), nullable=False),
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "trace_id"],
            ["traces.project_id", "traces.id"],
            name="fk_feedback_trace_id_traces",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_feedback_project_id_trace_id"), "feedback", ["project_id", "trace_id"])


def create_experiments() -> None:
    op.create_table(
        "workspaces",
        sa.Column("id", sa.String(36), nullable=False),
        *project("workspaces"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_workspaces_project_id_name")),
    )
    op.create_table(
        "experiments",
        sa.Column("id", sa.String(36), nullable=False),
        *project("experiments"),
        sa.Column("workspace_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("run_name", sa.String(500), nullable=False),
        sa.Column("metadata", jsonb(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("dataset_stats", jsonb(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("finished_at", sa.Float()),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_experiments_workspace_id_workspaces"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
    )
    op.create_index(op.f("ix_experiments_workspace_id"), "experiments", ["workspace_id"])
    op.create_index(op.f("ix_experiments_project_id_created_at"), "experiments", ["project_id", "created_at"])
    op.create_table(
        "datasets",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        *project("datasets"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("columns", jsonb(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_datasets_project_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "test_cases",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        *project("test_cases"),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("inputs", jsonb(), nullable=False),
        sa.Column("target", sa.Text()),
        sa.Column("tags", jsonb(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_test_cases_dataset_id_datasets"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_cases")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_test_cases_dataset_id"), "test_cases", ["dataset_id"])


def create_todos() -> None:
    op.create_table(
        "todos",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        *project("todos"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("completed_at", sa.Float()),
        sa.Column("due_date", sa.Float()),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer()),
        sa.Column("tags", jsonb(), nullable=False),
        sa.Column("cause", sa.String(20)),
        sa.Column("question", sa.Text()),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("last_asked_at", sa.Float()),
        sa.Column("repository_ids", jsonb(), nullable=False),
        sa.Column("similarity_threshold", sa.Float()),
        sa.Column("near_misses", jsonb(), nullable=False),
        sa.Column("vector", sa.LargeBinary()),
        sa.Column("answered_by", sa.Integer()),
        sa.ForeignKeyConstraint(["parent_id"], ["todos.id"], name=op.f("fk_todos_parent_id_todos"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_todos")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_todos_parent_id"), "todos", ["parent_id"])
    op.create_index(op.f("ix_todos_project_id_completed"), "todos", ["project_id", "completed"])


def downgrade() -> None:
    raise NotImplementedError(
        "Restore the backup made before the upgrade: prompts have versions that 0001 cannot keep."
    )
