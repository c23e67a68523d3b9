"""Every knob of the service, with a default that works offline.

Read from `FOOTNOTE_*` environment variables or a `.env` file; `footnote doctor` prints each with its source.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DOTENV = Path(".env")
RATE = r"^([1-9]\d*/([1-9]\d* ?)?(second|minute|hour|day))?$"
REFUSAL = "I found nothing in the documents that answers this question, so I will not guess."


class ModelPrice(BaseModel):
    """What a model costs, in US dollars per million tokens, and how many tokens it reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    context_length: int | None = Field(None, ge=1)


class Settings(BaseSettings):
    """All settings; field names in capitals with the prefix `FOOTNOTE_` are the environment variables."""

    model_config = SettingsConfigDict(env_prefix="FOOTNOTE_", env_file=DOTENV, extra="ignore", frozen=True)

    # where
    data_dir: Path = Field(Path("data/runtime"), description="Folder of everything the service keeps.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    admin_key: SecretStr | None = Field(
        None, description="Key that may do everything; made once on first start when unset.", min_length=16
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much to log.")

    # outside parts
    database_url: str | None = Field(None, description="SQLAlchemy URL; a SQLite file in the data folder when unset.")
    vector_url: str | None = Field(None, description="`http://host:port` of a Chroma server; embedded when unset.")
    embedder: str = Field(
        "all-MiniLM-L6-v2",
        description="`all-MiniLM-L6-v2[:int8]`, a local folder, or `sentence-transformers/<any model>`.",
    )
    allow_download: bool = Field(True, description="May the embedding model be fetched from the model hub.")
    embed_threads: int | None = Field(None, ge=1, le=256, description="Threads of the embedder; one a core when unset.")
    run_jobs: bool = Field(True, description="May `serve` also run ingest jobs; off where `footnote worker` does.")

    # models
    default_model: str = Field("footnote/extractive", description="`provider/model` used where nobody names one.")
    default_provider: str | None = Field(None, description="Provider of a model named without one.")
    model_timeout_s: float = Field(60.0, gt=0, description="Longest silence of a model, in seconds.")
    model_retries: int = Field(2, ge=0, le=10, description="Retries before a model's first token.")
    models: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Models to list besides those with a known price: `ollama/qwen3:8b, vllm/org/name`."
    )
    prices: Annotated[Mapping[str, ModelPrice], NoDecode] = Field(
        {},
        description='Your own prices: a JSON file, or `{"provider/model": {"input": 1, "output": 2}}` in US '
        "dollars per million tokens; with `context_length` if you like.",
    )
    cache_seconds: float = Field(
        7 * 86400.0, ge=0, description="Age at which an answer is no longer given again to callers who allow that."
    )

    # retrieval
    retrieval_limit: int = Field(5, ge=1, le=50, description="Chunks brought where nobody says how many.")
    retrieval_max_limit: int = Field(50, ge=1, le=500, description="Most chunks one request may ask for.")
    similarity_threshold: float = Field(0.35, ge=0, le=1, description="Least similarity where nobody says one.")
    refusal_text: str = Field(REFUSAL, description="Answer given when no chunk is above the threshold.")

    # content gaps
    gap_similarity: float = Field(0.85, ge=0, le=1, description="Cosine from which two unanswered questions are one.")
    max_gaps: int = Field(1000, ge=1, description="Most content gaps kept in a project; the least asked gives way.")
    gap_checks: int = Field(100, ge=1, description="Most content gaps looked at again after a publication.")

    # scores
    max_waiting_scores: int = Field(1000, ge=0, description="Most answers that wait to be scored; others get no score.")

    # limits
    max_request_bytes: int = Field(4 * 2**20, ge=1024, description="Largest JSON body.")
    max_json_depth: int = Field(100, ge=10, le=200, description="Most levels of lists and objects in a JSON body.")
    max_upload_bytes: int = Field(100 * 2**20, ge=1, description="Largest uploaded file.")
    max_upload_request_bytes: int = Field(2**30, ge=1, description="Largest upload of several files together.")
    upload_wait_s: float = Field(600.0, gt=0, description="Longest an upload with `wait=true` waits, in seconds.")
    max_files_per_upload: int = Field(100, ge=1, description="Most files in one upload.")
    max_choices: int = Field(8, ge=1, le=128, description="Most answers to one prompt (`n`).")
    max_embedding_inputs: int = Field(2048, ge=1, description="Most texts in one request for embeddings.")
    max_trace_page: int = Field(200, ge=1, description="Most traces on one page of a search.")
    max_experiments_listed: int = Field(100, ge=1, description="Most experiments in one list, the newest of them.")
    max_test_cases: int = Field(10_000, ge=1, description="Most test cases of one dataset.")
    max_trace_tree: int = Field(2000, ge=1, description="Most traces shown with the trees of one answer.")
    max_embedding_tokens: int = Field(300_000, ge=1, description="Most tokens in one request for embeddings.")
    max_messages: int = Field(500, ge=1, description="Most messages in one conversation.")
    max_turns_listed: int = Field(20, ge=1, description="Most turns of each thread in a list, the newest of them.")
    max_turns_shown: int = Field(500, ge=1, description="Most turns of one thread, the newest of them.")
    max_proposed_questions: int = Field(20, ge=1, description="Most questions proposed at once.")
    rate_limit: str = Field(
        "6000/minute",
        pattern=RATE,
        description="Requests one key may send, such as `100/minute` or `5/10 second`; no limit when empty.",
    )
    failed_key_limit: str = Field(
        "60/minute", pattern=RATE, description="Wrong keys one address may send; no limit when empty."
    )
    rate_limit_url: str | None = Field(
        None, description="`redis://host:port/0` where several processes share these limits; in memory when unset."
    )
    max_question_chars: int = Field(32_000, ge=1, description="Longest question that is searched for.")
    parse_seconds: float = Field(120.0, gt=0, description="Longest time to read one file.")
    parse_memory_bytes: int = Field(2 * 2**30, ge=2**26, description="Most memory to read one file.")
    parse_output_chars: int = Field(50_000_000, ge=1, description="Longest text of one file.")
    chunk_tokens: int = Field(
        200, ge=16, le=4096, description="Tokens a chunk aims for; never above the model's window."
    )
    job_concurrency: int = Field(2, ge=1, le=64, description="Files ingested at the same time.")

    # GraphQL
    graphql_max_chars: int = Field(65_536, ge=256, description="Longest GraphQL query.")
    graphql_max_tokens: int = Field(800, ge=16, description="Most words and brackets of a GraphQL query.")
    graphql_max_depth: int = Field(8, ge=1, description="Deepest GraphQL query, in fields inside fields.")
    graphql_max_aliases: int = Field(16, ge=0, description="Most aliases of a GraphQL query.")
    graphql_max_items: int = Field(500, ge=1, description="Longest list that one GraphQL field brings.")

    # browsers
    cors_origins: str = Field(
        "", description="Origins whose pages may call the API, comma-separated; `*` for any. None when empty."
    )
    behind_tls: bool = Field(False, description="Is all traffic TLS: tells browsers to insist on it (HSTS).")

    # wire
    sse_done_spaced: bool = Field(False, description="End streams with `data: [DONE]` instead of `data:[DONE]`.")

    @field_validator("models", mode="before")
    @classmethod
    def _split_models(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return (
            _json(value)
            if value.lstrip().startswith("[")
            else [each.strip() for each in value.split(",") if each.strip()]
        )

    @field_validator("models", "prices")
    @classmethod
    def _name_providers(cls, value: Any) -> Any:
        for model in value:
            provider, _, name = model.partition("/")
            if not provider or not name:
                raise ValueError(f"{model!r} is no model id: ids look like `provider/model`")
        return value

    @field_validator("prices", mode="before")
    @classmethod
    def _read_prices(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("{"):
            return _json(value)
        try:
            return _json(Path(value).read_text()) if value.strip() else {}
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"neither a JSON object nor a file that can be read ({error})") from error

    @property
    def allowed_origins(self) -> list[str]:
        """`cors_origins` as a list."""
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'footnote.sqlite'}"

    @property
    def jobs_database(self) -> str:
        """The URL of the job engine's own tables: beside ours in PostgreSQL, a file of its own with SQLite."""
        return self.database_url or f"sqlite:///{self.data_dir / 'jobs.sqlite'}"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"this is not JSON: {error}") from error


def vendor_environment() -> Mapping[str, str]:
    """The variables a vendor's own SDK would read (`OPENAI_API_KEY`, ...), from `.env` and the environment."""
    found = {name: value for name, value in dotenv_values(DOTENV).items() if value is not None}
    return {**found, **os.environ}


def setting_sources(settings: Settings) -> dict[str, str]:
    """Where each setting's value came from: `environment`, `.env` or `default`."""
    dotenv = {name.upper() for name in dotenv_values(DOTENV)}
    environment = {name.upper() for name in os.environ}
    sources = {}
    for name in type(settings).model_fields:
        variable = f"FOOTNOTE_{name}".upper()
        sources[name] = "environment" if variable in environment else ".env" if variable in dotenv else "default"
    return sources
