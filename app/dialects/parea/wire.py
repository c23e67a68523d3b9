"""Parea's requests as its SDKs and its curl lines send them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.types import Json
from app.core.workspaces import DEFAULT_WORKSPACE
from app.dialects.chat import Repositories
from app.dialects.ids import Id

MAX_ID_CHARS = 100  # of a trace's id, as the database keeps it
ID_PATTERN = "^[!-~]+$"  # it stands in a header of the answer and in a line of the stream, which nothing else may begin
KEY_PATTERN = "^[!-~]+$"  # it stands in a header of the provider's request
WireRole = Literal["user", "assistant", "system", "example_user", "example_assistant", "tool", "function"]
EXAMPLE: dict[str, Json] = {
    "llm_inputs": {"thing": "a pressure washer"},
    "llm_configuration": {
        "model": "extractive",
        "provider": "footnote",
        "messages": [{"role": "user", "content": "How long may I borrow {{thing}}?"}],
    },
    "repositories": {"ids": [1], "limit": 3},
}


class Wire(BaseModel):
    model_config = ConfigDict(extra="ignore")  # SDKs of other versions send fields of their own


class PareaMessage(Wire):
    """A message; a tool's answers stand, in order, after the assistant message whose content is the calls' JSON."""

    role: WireRole = "user"
    content: str | None = None
    tool_call_id: str | None = None
    name: str | None = None


class ModelParams(Wire):
    """Sampling, under Parea's names."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())

    model: str | None = Field(None, description="The curl line's place for it; must equal `llm_configuration.model`.")
    temp: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    max_length: int | None = Field(None, ge=0, description="Tokens of the answer; 0 is no limit.")
    response_format: dict[str, Any] | None = None
    safe_prompt: bool | None = Field(None, description="For Mistral's models only.")


class LLMConfiguration(Wire):
    """What to call, and with what; every part may come from a deployment instead."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())

    model: str | None = Field(None, description="With its provider before a slash, or with `provider` beside it.")
    provider: str | None = None
    model_params: ModelParams | None = None
    messages: list[PareaMessage] | None = None
    history: list[PareaMessage] | None = Field(None, description="Earlier messages, put before `messages`.")
    functions: list[dict[str, Any]] | None = Field(None, description="JSON Schema functions the model may call.")
    function_call: str | dict[str, str] | None = Field(None, description="auto, none, required, or a function's name.")


class PareaCompletion(Wire):
    """A completion in Parea's format."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE}, extra="ignore")

    llm_inputs: dict[str, Any] | None = Field(None, description="Values for `{{name}}` in the messages.")
    inputs: dict[str, Any] | None = Field(None, description="The curl line's name of `llm_inputs`.")
    llm_configuration: LLMConfiguration = LLMConfiguration()
    project_name: str | None = Field(None, max_length=200, description="Made where it is not there.")
    project_uuid: str | None = Field(None, description="As `POST /project` gave it, or `default`.")
    experiment_uuid: str | None = Field(None, max_length=36)
    parent_trace_id: str | None = Field(None, max_length=MAX_ID_CHARS)
    root_trace_id: str | None = Field(None, max_length=MAX_ID_CHARS)
    end_user_identifier: str | None = Field(None, max_length=200)
    deployment_id: str | None = Field(None, description="Id or name of a saved prompt; its newest version is used.")
    eval_metric_ids: list[Id] | None = Field(None, max_length=100, description="Metrics to score the answer by.")
    metadata: dict[str, Any] | None = None
    tags: list[str] | None = None
    target: str | None = Field(None, description="What should be answered.")
    trace_id: str | None = Field(None, min_length=1, max_length=MAX_ID_CHARS, pattern=ID_PATTERN)
    trace_name: str | None = Field(None, max_length=500)
    provider_api_key: str | None = Field(
        None, min_length=1, pattern=KEY_PATTERN, repr=False, description="Used once and kept nowhere."
    )
    cache: bool = Field(True, description="May an earlier answer to exactly the same be given again.")
    log_omit_inputs: bool = False
    log_omit_outputs: bool = False
    log_omit: bool = False
    log_sample_rate: float | None = Field(1.0, ge=0, le=1)
    inference_id: str | None = Field(
        None, min_length=1, max_length=MAX_ID_CHARS, pattern=ID_PATTERN, description="Older name of trace_id."
    )
    name: str | None = Field(None, max_length=500, description="Older name of trace_name.")
    retry: bool | None = Field(None, description="Passing failures are always tried again before the first word.")
    fallback_strategy: list[str] | None = Field(
        None, max_length=10, description="Models to try, in order, before the first word."
    )
    stream: bool | None = Field(None, description="The path decides: /completion or /completion/stream.")
    repositories: Repositories | None = Field(None, description="Where to search; the project's when left out.")


class CreateProject(Wire):
    name: str = Field(DEFAULT_WORKSPACE, min_length=1, max_length=200)


class ProjectShape(BaseModel):
    name: str
    uuid: str
    created_at: str
    was_created: bool


class UseDeployedPrompt(Wire):
    deployment_id: str
    llm_inputs: dict[str, Any] | None = None


class FilledPrompt(BaseModel):
    raw_messages: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    inputs: dict[str, Any] | None


class DeployedPrompt(BaseModel):
    """A saved prompt, its placeholders filled in."""

    model_config = ConfigDict(protected_namespaces=())

    deployment_id: str
    version_number: float
    name: str | None
    functions: list[str] | None = Field(description="Each as JSON text.")
    function_call: str | None
    prompt: FilledPrompt
    model: str | None
    provider: str | None
    model_params: dict[str, Any]


class PareaFeedback(Wire):
    score: float = Field(ge=0, le=1)
    trace_id: str | None = Field(None, min_length=1)
    inference_id: str | None = Field(None, min_length=1, description="Older name of trace_id.")
    name: str | None = Field(None, max_length=500)
    target: str | None = Field(None, description="What should have been answered.")
    comment: str | None = None


class FeedbackShape(BaseModel):
    id: int
    trace_id: str
    score: float
    name: str | None
    target: str | None = Field(description="Null also where the trace was told to keep no inputs.")
    comment: str | None


class PareaError(BaseModel):
    """An error, as FastAPI's clients know it: a sentence, or a list of what is wrong where."""

    detail: str | list[dict[str, Any]] = Field(
        examples=[[{"loc": ["body", "llm_configuration", "messages"], "msg": "…", "type": "invalid_request"}]]
    )
    trace_id: str | None = None


class CompletionResponse(BaseModel):
    """Parea's answer, and beside it what it rests on."""

    model_config = ConfigDict(protected_namespaces=())

    inference_id: str
    content: str = Field(description="The answer; calls of functions as the JSON text of a list.")
    latency: float = Field(description="Seconds.")
    input_tokens: int
    output_tokens: int
    total_tokens: int
    cost: float = Field(description="US dollars; 0 where `cost_known` is false.")
    cost_known: bool
    model: str
    provider: str
    cache_hit: bool
    status: str
    start_timestamp: str = Field(examples=["2026-07-24 18:05:17"])
    end_timestamp: str
    error: str | None
    trace_id: str
    document_chunks: list[dict[str, Any]]
    citations: list[dict[str, Any]]
    retrieval: dict[str, Any] | None
    refused: bool
    attempts: list[dict[str, Any]]
