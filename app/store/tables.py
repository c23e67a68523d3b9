"""The tables. Every row that belongs to a tenant carries its project_id, and every query names it.

Adding a column? Also: a migration in `migrations/versions`, and `tests/store/test_migrations.py` compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Jsonb = JSON().with_variant(JSONB(), "postgresql")


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=True)


def _project() -> Column[int]:
    return Column("project_id", ForeignKey("projects.id", ondelete="CASCADE"), nullable=False)


projects = Table(
    "projects",
    metadata,
    _id(),
    Column("name", String(200), nullable=False),
    Column("model", String(200)),  # used where a request names none
    Column("system_prompt", Text),
    Column("repository_ids", Jsonb, nullable=False),  # searched where a request names none
    Column("retrieval_limit", Integer),
    Column("similarity_threshold", Float),
    Column("created_at", Float, nullable=False),  # Unix seconds, here and everywhere
    sqlite_autoincrement=True,
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    _project(),
    Column("name", String(200), nullable=False),
    Column("prefix", String(16), nullable=False),  # shown in lists, so that a person can tell keys apart
    Column("sha256", String(64), nullable=False, unique=True),  # of a random 256-bit key; the key itself is not kept
    Column("scopes", Jsonb, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("revoked_at", Float),
    sqlite_autoincrement=True,
)

repositories = Table(
    "repositories",
    metadata,
    _id(),
    _project(),
    Column("name", String(200), nullable=False),
    Column("organization", String(200), nullable=False),
    Column("description", Text),
    Column("generation", Integer, nullable=False),  # +1 whenever what a search may return changes
    Column("fingerprint", String(200)),  # of the index; None until the first document
    Column("created_at", Float, nullable=False),
    Index(None, "project_id", "name"),
    sqlite_autoincrement=True,
)

documents = Table(
    "documents",
    metadata,
    _id(),
    _project(),
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(500), nullable=False),
    Column("attributes", Jsonb, nullable=False),
    Column("version_id", Integer),  # the published one; None until the first is published
    Column("created_at", Float, nullable=False),
    UniqueConstraint("repository_id", "name"),
    sqlite_autoincrement=True,
)

document_versions = Table(
    "document_versions",
    metadata,
    _id(),
    _project(),
    Column("repository_id", Integer, nullable=False),
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Integer, nullable=False),  # from 1 in the document
    Column("sha256", String(64), nullable=False),  # of the uploaded bytes
    Column("size", Integer, nullable=False),
    Column("media_type", String(200), nullable=False),  # as uploaded; readers go by content
    Column("extractor", String(200)),
    Column("text_sha256", String(64)),
    Column("warnings", Jsonb, nullable=False),
    Column("chunk_count", Integer, nullable=False),
    Column("fingerprint", String(200)),
    Column("created_at", Float, nullable=False),
    Column("published_at", Float),
    Index(None, "repository_id", "sha256"),
    sqlite_autoincrement=True,
)

texts = Table(
    "texts",
    metadata,
    Column("version_id", ForeignKey("document_versions.id", ondelete="CASCADE"), primary_key=True),
    _project(),
    Column("text", Text, nullable=False),  # canonical; chunks and citations are slices of it
    Column("spans", Jsonb, nullable=False),  # [[start, end, kind, page, heading_path], ...]
)

chunks = Table(
    "chunks",
    metadata,
    _id(),
    _project(),
    Column("repository_id", Integer, nullable=False),
    Column("document_id", Integer, nullable=False),
    Column("version_id", ForeignKey("document_versions.id", ondelete="CASCADE"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("token_count", Integer, nullable=False),
    Column("page", Integer),
    Column("heading_path", Jsonb, nullable=False),
    Column("content", Text, nullable=False),  # == text[start:end]; kept so that a hit need not read the whole text
    UniqueConstraint("version_id", "ordinal"),
    Index(None, "repository_id", "version_id"),
    sqlite_autoincrement=True,  # an id is never used twice: an index entry of a deleted chunk can never name a new one
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    _project(),
    Column("repository_id", Integer, nullable=False),
    Column("document_id", Integer, nullable=False, index=True),
    Column("version_id", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),  # +1 at each retry
    Column("state", String(20), nullable=False, index=True),  # see app.core.library.JobState
    Column("stage", String(20), nullable=False),  # queued, parse, embed, publish, done
    Column("done", Integer, nullable=False),  # chunks embedded and indexed
    Column("total", Integer),  # chunks of the version; None until it is parsed
    Column("error", Text),
    Column("cancel_requested", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    sqlite_autoincrement=True,
)

threads = Table(
    "threads",
    metadata,
    Column("id", String(36), primary_key=True),
    _project(),
    Column("user", String(200), nullable=False),
    Column("session", String(200)),  # the caller's own name for it
    Column("created_at", Float, nullable=False),
    UniqueConstraint("project_id", "user", "session"),
)

turns = Table(
    "turns",
    metadata,
    _id(),
    _project(),
    Column("thread_id", ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),  # from 1 in the thread, in the order of asking
    Column("follows", Integer),  # the turn it was asked after; None for one that starts the conversation
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("trace_id", String(100), nullable=False),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("thread_id", "number"),
)

prompts = Table(
    "prompts",
    metadata,
    Column("id", String(36), primary_key=True),
    _project(),
    Column("name", String(200), nullable=False),
    Column("created_at", Float, nullable=False),
    Index(None, "project_id", "name"),
)

prompt_versions = Table(
    "prompt_versions",
    metadata,
    _id(),
    _project(),
    Column("prompt_id", ForeignKey("prompts.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),  # from 1 in the prompt
    Column("messages", Jsonb, nullable=False),  # [{"role", "content"}, ...], with placeholders
    Column("model", String(200)),
    Column("params", Jsonb, nullable=False),  # sampling, under the names of app.core.types.Sampling
    Column("functions", Jsonb, nullable=False),  # JSON Schema functions the model may call
    Column("function_call", Jsonb),
    Column("tag", String(100)),  # at most one version of a prompt has it; naming it again moves it
    Column("note", Text),
    Column("created_by", String(200), nullable=False),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("prompt_id", "number"),
    UniqueConstraint("prompt_id", "tag"),
)

workspaces = Table(  # groups logs and experiments inside a project; what Parea calls a project
    "workspaces",
    metadata,
    Column("id", String(36), primary_key=True),
    _project(),
    Column("name", String(200), nullable=False),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("project_id", "name"),
)

traces = Table(
    "traces",
    metadata,
    Column("project_id", ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("id", String(100), primary_key=True),  # the caller's own, or a UUID; another project may use the same
    Column("kind", String(20), nullable=False),  # completion, or log: written by the caller
    Column("created_at", Float, nullable=False),
    Column("outcome", String(20), nullable=False),  # stop, length, tool_calls, refused, error, cancelled
    Column("model", String(200), nullable=False),
    Column("question", Text, nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost", Float),  # US dollars; None where no price is known
    Column("name", String(500)),
    Column("parent_id", String(100)),  # the trace it is a part of
    Column("root_id", String(100), nullable=False),  # the outermost one; itself when it has no parent
    Column("user", String(200), nullable=False),
    Column("thread_id", String(36)),
    Column("workspace_id", String(36)),
    Column("experiment_id", String(36)),
    Column("cache_key", String(64)),  # of everything that could have changed the answer; None when not cacheable
    Column("scores", Jsonb, nullable=False),  # [{"name", "score", "reason"}, ...]
    Column("detail", Jsonb, nullable=False),  # request, sources, prompt, answer, usage, timings, error
    Index(None, "project_id", "created_at"),
    Index(None, "project_id", "root_id"),
    Index(None, "project_id", "experiment_id"),
    Index(None, "project_id", "thread_id"),
    Index(None, "project_id", "cache_key"),
)

feedback = Table(
    "feedback",
    metadata,
    _id(),
    Column("project_id", Integer, nullable=False),
    Column("trace_id", String(100), nullable=False),
    Column("positive", Boolean),  # Prem's thumb
    Column("score", Float),  # Parea's 0..1
    Column("name", String(500)),
    Column("target", Text),  # what should have been answered
    Column("comment", Text),
    Column("messages", Jsonb, nullable=False),  # Prem's corrected conversation
    Column("user", String(200), nullable=False),
    Column("created_at", Float, nullable=False),
    ForeignKeyConstraint(
        ["project_id", "trace_id"],
        ["traces.project_id", "traces.id"],
        name="fk_feedback_trace_id_traces",
        ondelete="CASCADE",
    ),
    Index(None, "project_id", "trace_id"),
    sqlite_autoincrement=True,
)

experiments = Table(
    "experiments",
    metadata,
    Column("id", String(36), primary_key=True),
    _project(),
    Column("workspace_id", ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(500), nullable=False),
    Column("run_name", String(500), nullable=False),
    Column("metadata", Jsonb, nullable=False),
    Column("status", String(20), nullable=False),  # pending, running, completed, failed
    Column("dataset_stats", Jsonb, nullable=False),  # scores of the whole run, reported when it finished
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
    Index(None, "project_id", "created_at"),
)

datasets = Table(
    "datasets",
    metadata,
    _id(),
    _project(),
    Column("name", String(200), nullable=False),
    Column("columns", Jsonb, nullable=False),  # names of the inputs, in order
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),  # when a test case was added or changed
    UniqueConstraint("project_id", "name"),
    sqlite_autoincrement=True,
)

test_cases = Table(
    "test_cases",
    metadata,
    _id(),
    _project(),
    Column("dataset_id", ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("inputs", Jsonb, nullable=False),
    Column("target", Text),
    Column("tags", Jsonb, nullable=False),
    Column("created_at", Float, nullable=False),
    sqlite_autoincrement=True,
)

todos = Table(  # what the documents do not answer yet, and whatever else somebody wants done about them
    "todos",
    metadata,
    _id(),
    _project(),
    Column("title", Text, nullable=False),
    Column("completed", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("completed_at", Float),
    Column("due_date", Float),
    Column("weight", Integer, nullable=False),
    Column("parent_id", ForeignKey("todos.id", ondelete="CASCADE"), index=True),
    Column("tags", Jsonb, nullable=False),
    # of a content gap; `cause` is None for a todo that somebody wrote
    Column("cause", String(20)),  # refused, unsupported
    Column("question", Text),
    Column("asked", Integer, nullable=False),  # how often, similar questions included
    Column("last_asked_at", Float),
    Column("repository_ids", Jsonb, nullable=False),  # where it was looked for
    Column("similarity_threshold", Float),
    Column("near_misses", Jsonb, nullable=False),  # [{"document_id", "document_name", "score", "content"}, ...]
    Column("vector", LargeBinary),  # of the question, float32; similar questions fold into one
    Column("answered_by", Integer),  # the document whose text closed it
    Index(None, "project_id", "completed"),
    sqlite_autoincrement=True,
)
