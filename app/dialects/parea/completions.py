"""Parea's completions: inputs and deployments in, its flat answer out; what it rests on stands beside."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import asdict

from app.core.errors import AppError, InvalidRequestError
from app.core.library import PromptVersion
from app.core.metrics.registry import known
from app.core.types import Answer, Ask, Caller, Json, Logging
from app.dialects.base import Body, Credentials, Headers, Refusal, bearer, validated
from app.dialects.chat import Repositories
from app.dialects.chunks import evidence
from app.dialects.parea.deployments import Configuration, configure, full_name
from app.dialects.parea.messages import FIELD, calls_text, to_messages, to_tool_choice, to_tools
from app.dialects.parea.wire import PareaCompletion
from app.dialects.support import Fields, honoured, passed, refuse_unsupported, refused

NAME = "parea"
_THEIR_FIELDS = {"messages": FIELD, "response_format": "llm_configuration.model_params.response_format"}
FIELDS: Fields = {
    "llm_inputs": honoured("fills `{{name}}` in messages, a deployment's too; an unknown name stays as it is"),
    "inputs": honoured("the curl line's name of `llm_inputs`; both, and different, is a 422"),
    "llm_configuration": honoured("what to call, and with what; every part may come from a deployment"),
    "llm_configuration.model_params": honoured("see its fields"),
    "llm_configuration.model": honoured("with its provider before a slash or beside it; the project's when left out"),
    "llm_configuration.provider": honoured("stands before the model's name"),
    "llm_configuration.messages": honoured("take the place of a deployment's"),
    "llm_configuration.history": honoured("stands before the messages"),
    "llm_configuration.functions": honoured("offered to the model; its calls come back as JSON text in `content`"),
    "llm_configuration.function_call": honoured("auto, none, required, or the function to call"),
    "llm_configuration.model_params.model": honoured("the curl line's place for it; must equal the other"),
    "llm_configuration.model_params.temp": honoured("the temperature"),
    "llm_configuration.model_params.top_p": honoured("1 changes nothing and is not sent"),
    "llm_configuration.model_params.frequency_penalty": honoured("0 changes nothing and is not sent"),
    "llm_configuration.model_params.presence_penalty": honoured("0 changes nothing and is not sent"),
    "llm_configuration.model_params.max_length": honoured("most tokens of the answer; 0 is no limit"),
    "llm_configuration.model_params.response_format": honoured("the answer is held against it"),
    "llm_configuration.model_params.safe_prompt": passed("to Mistral's models; true is refused for any other"),
    "deployment_id": honoured("a saved prompt by id or name; what the request says takes its place field by field"),
    "end_user_identifier": honoured("kept with the trace"),
    "project_name": honoured("groups the trace; made where it is not there"),
    "project_uuid": honoured("groups the trace; an unknown one is a 404"),
    "experiment_uuid": honoured("the experiment that the trace is a part of"),
    "parent_trace_id": honoured("the trace's place in the tree"),
    "root_trace_id": honoured("the trace's place in the tree; an empty one is none"),
    "trace_id": honoured("the trace's id; made where there is none"),
    "inference_id": honoured("the older name of `trace_id`"),
    "trace_name": honoured("the trace's name; `llm-<provider>` where there is none"),
    "name": honoured("the older name of `trace_name`"),
    "metadata": honoured("kept with the trace"),
    "tags": honoured("kept with the trace"),
    "target": honoured("kept with the trace; metrics compare the answer with it"),
    "eval_metric_ids": honoured("the answer is scored by them"),
    "cache": honoured("an earlier answer to exactly the same may be given again; `cache_hit` says so"),
    "log_omit_inputs": honoured("nothing of what is asked is written down"),
    "log_omit_outputs": honoured("nothing of what is said is written down"),
    "log_omit": honoured("both"),
    "log_sample_rate": honoured("the share of traces that are kept, decided once for a whole tree by its root"),
    "provider_api_key": honoured("used for this request alone and written nowhere"),
    "fallback_strategy": honoured("models to try in order while none has said a word"),
    "retry": honoured("passing failures are always tried again before the first word, FOOTNOTE_MODEL_RETRIES times"),
    "stream": refused("the path decides: POST to /completion/stream for a stream.", False),
    "repositories": honoured("our own: where to search; the project's when left out"),
}


def credentials(body: Body, headers: Headers) -> Credentials:
    """`x-api-key` as the SDK sends it, `Authorization`, or the documents' `x-user-id`; here all three are the key."""
    user = body.get("end_user_identifier")
    key = bearer(headers) or headers.get("x-user-id", "").strip() or None
    return Credentials(key, user=user if isinstance(user, str) else "")


def read(body: Body, *, streams: bool) -> PareaCompletion:
    """The request, checked; `streams` says which path it came to. Raises InvalidRequestError."""
    if not streams:
        refuse_unsupported(body, FIELDS)
    request = validated(PareaCompletion, body)
    for one, other in (("llm_inputs", "inputs"), ("trace_id", "inference_id"), ("trace_name", "name")):
        first, second = getattr(request, one), getattr(request, other)
        if first is not None and second is not None and first != second:
            raise InvalidRequestError(f"`{one}` and `{other}` are the same and must not differ.", field=other)
    return request


def to_ask(request: PareaCompletion, caller: Caller, deployed: PromptVersion | None) -> Ask:
    """The ask over the deployment it names, in no workspace yet; raises InvalidRequestError."""
    settled = configure(request.llm_configuration, deployed)
    inputs = request.llm_inputs if request.llm_inputs is not None else request.inputs or {}
    if not settled.messages:
        raise InvalidRequestError("Send `messages`, or a `deployment_id` whose prompt has some.", field=FIELD)
    tools = to_tools(settled.functions)
    fallback = tuple(
        full_name(model, request.llm_configuration.provider if "/" not in model else None)
        for model in request.fallback_strategy or ()
    )
    where = request.repositories or Repositories()
    return Ask(
        caller=caller,
        messages=to_messages(settled.messages, inputs),
        model=settled.model,
        repository_ids=None if where.ids is None else tuple(where.ids),
        limit=where.limit,
        similarity_threshold=where.similarity_threshold,
        sampling=settled.sampling,
        tools=tools,
        tool_choice=to_tool_choice(settled.function_call, tools),
        response_format=settled.params.get("response_format"),
        passed_on=_passed_on(settled, fallback),
        fallback=fallback,
        provider_key=request.provider_api_key,
        inputs=inputs,
        prompt_id=None if deployed is None else deployed.prompt_id,
        prompt_version=None if deployed is None else deployed.number,
        metrics=known(request.eval_metric_ids or ()),
        cache=request.cache,
        log=_log(request, settled.model),
        dialect=NAME,
    )


class PareaRenderer:
    """Writes one answer down; made when its request arrives, for Parea counts the seconds from there."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()

    def render(self, answer: Answer) -> Json:
        """Parea's fields, none of them null but `error`; then ours."""
        started, finished = answer.started, answer.finished
        ended = self._clock()
        provider, _, model = (finished.model or started.model).partition("/")
        return {
            **evidence(answer.retrieved, finished, started.trace_id),
            "inference_id": started.trace_id,
            "content": calls_text(finished.tool_calls) if finished.tool_calls else finished.text,
            "latency": ended - self._began,
            "input_tokens": finished.usage.prompt_tokens,
            "output_tokens": finished.usage.completion_tokens,
            "total_tokens": finished.usage.total_tokens,
            "cost": finished.cost or 0.0,
            "cost_known": finished.cost is not None,
            "model": model,
            "provider": provider,
            "cache_hit": finished.cached,
            "status": "success",
            "start_timestamp": timestamp(self._began),
            "end_timestamp": timestamp(ended),
            "error": None,
            "attempts": [asdict(attempt) for attempt in finished.attempts],
        }


def parea_refusal(error: AppError) -> Refusal:
    """FastAPI's form: a list of what is wrong where under 422, else a sentence under the error's own status."""
    beside = {} if error.trace_id is None else {"trace_id": error.trace_id}
    if error.status != 400:
        return Refusal(error.status, {"detail": error.message, **beside})
    where = [] if error.field is None else _their_field(error.field).split(".")
    fault = {"loc": ["body", *where], "msg": error.message, "type": error.code}
    return Refusal(422, {"detail": [fault], **beside})


def timestamp(at: float) -> str:
    """Unix seconds as Parea writes them, in UTC."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


def _their_field(field: str) -> str:
    first, dot, rest = field.partition(".")
    return _THEIR_FIELDS.get(first, first) + dot + rest


def _log(request: PareaCompletion, model: str | None) -> Logging:
    trace_id = request.trace_id or request.inference_id
    parent = request.parent_trace_id if request.parent_trace_id != trace_id else None  # the SDK's way to say none
    provider = (model or "").partition("/")[0] if "/" in (model or "") else None
    return Logging(
        trace_id=trace_id,
        parent_id=parent or None,
        root_id=request.root_trace_id or None,
        name=request.trace_name or request.name or (f"llm-{provider}" if provider else None),
        tags=tuple(request.tags or ()),
        metadata=request.metadata or {},
        target=request.target,
        experiment_id=request.experiment_uuid or None,
        omit_inputs=request.log_omit or request.log_omit_inputs,
        omit_outputs=request.log_omit or request.log_omit_outputs,
        sample_rate=1.0 if request.log_sample_rate is None else request.log_sample_rate,
    )


def _passed_on(settled: Configuration, fallback: tuple[str, ...]) -> dict[str, Json]:
    if not settled.params.get("safe_prompt"):
        return {}
    others = [model for model in (settled.model or "the project's", *fallback) if not model.startswith("mistral/")]
    if others:
        raise InvalidRequestError(
            f"`safe_prompt` is Mistral's own: {others[0]} has none. Leave it out.",
            field="llm_configuration.model_params.safe_prompt",
        )
    return {"safe_prompt": True}
