"""Every knob of the service, with a default that works offline.

Read from `FOOTNOTE_*` environment variables or a `.env` file; `footnote doctor` prints each with its source.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DOTENV = Path(".env")
REFUSAL = "I found nothing in the documents that answers this question, so I will not guess."


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

    # retrieval
    retrieval_limit: int = Field(5, ge=1, le=50, description="Chunks brought where nobody says how many.")
    retrieval_max_limit: int = Field(50, ge=1, le=500, description="Most chunks one request may ask for.")
    similarity_threshold: float = Field(0.35, ge=0, le=1, description="Least similarity where nobody says one.")
    refusal_text: str = Field(REFUSAL, description="Answer given when no chunk is above the threshold.")

    # limits
    max_request_bytes: int = Field(4 * 2**20, ge=1024, description="Largest JSON body.")
    max_upload_bytes: int = Field(100 * 2**20, ge=1, description="Largest uploaded file.")
    max_upload_request_bytes: int = Field(2**30, ge=1, description="Largest upload of several files together.")
    upload_wait_s: float = Field(600.0, gt=0, description="Longest an upload with `wait=true` waits, in seconds.")
    max_files_per_upload: int = Field(100, ge=1, description="Most files in one upload.")
    max_messages: int = Field(500, ge=1, description="Most messages in one conversation.")
    max_question_chars: int = Field(32_000, ge=1, description="Longest question that is searched for.")
    parse_seconds: float = Field(120.0, gt=0, description="Longest time to read one file.")
    parse_memory_bytes: int = Field(2 * 2**30, ge=2**26, description="Most memory to read one file.")
    parse_output_chars: int = Field(50_000_000, ge=1, description="Longest text of one file.")
    chunk_tokens: int = Field(
        200, ge=16, le=4096, description="Tokens a chunk aims for; never above the model's window."
    )
    job_concurrency: int = Field(2, ge=1, le=64, description="Files ingested at the same time.")

    # wire
    sse_done_spaced: bool = Field(False, description="End streams with `data: [DONE]` instead of `data:[DONE]`.")

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'footnote.sqlite'}"

    @property
    def jobs_database(self) -> str:
        """The URL of the job engine's own tables: beside ours in PostgreSQL, a file of its own with SQLite."""
        return self.database_url or f"sqlite:///{self.data_dir / 'jobs.sqlite'}"


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
