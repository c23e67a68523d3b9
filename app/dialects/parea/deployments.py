"""A deployment is a saved prompt; whatever a request says takes the place of what the prompt says, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import orjson

from app.core.errors import InvalidRequestError
from app.core.library import PromptVersion
from app.core.prompting import Room
from app.core.types import Json, Sampling
from app.dialects.parea.messages import fill
from app.dialects.parea.wire import DeployedPrompt, FilledPrompt, LLMConfiguration, ModelParams, PareaMessage

# Parea's names of what a saved prompt keeps under the names of app.core.types.Sampling
OURS = {
    "temp": "temperature",
    "top_p": "top_p",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "max_length": "max_tokens",
    "response_format": "response_format",
    "safe_prompt": "safe_prompt",
}
# The SDK sends all of these with every request, said or not.
SDK_DEFAULTS: Mapping[str, Json] = {
    "temp": 1.0,
    "top_p": 1.0,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "max_length": None,
    "response_format": None,
    "safe_prompt": None,
}
_CHANGES_NOTHING: Mapping[str, Json] = {"top_p": 1.0, "frequency_penalty": 0.0, "presence_penalty": 0.0}


@dataclass(frozen=True, slots=True)
class Configuration:
    """What to call and with what: the request's word, else the deployment's."""

    model: str | None  # provider/model, where a provider is known
    messages: tuple[PareaMessage, ...]
    params: Mapping[str, Json]  # under our names
    functions: tuple[Mapping[str, Any], ...]
    function_call: Any

    @property
    def sampling(self) -> Sampling:
        """Of the params, those that choose words. One that changes nothing is not sent: some models take none."""
        names = {each.name for each in fields(Sampling)}
        said = {
            name: value
            for name, value in self.params.items()
            if name in names and value is not None and _CHANGES_NOTHING.get(name) != value
        }
        stop = said.pop("stop", ())
        said["max_tokens"] = said.get("max_tokens") or None
        return Sampling(stop=(stop,) if isinstance(stop, str) else tuple(stop), **said)


def configure(asked: LLMConfiguration, deployed: PromptVersion | None) -> Configuration:
    """The request over the deployment.

    Where the SDK sent all its model_params, those at its defaults give way to the deployment's: nobody said them.
    Raises InvalidRequestError for a model that is named twice and differently, or a provider alone.
    """
    given = {} if asked.model_params is None else _said(asked.model_params)
    by_default = asked.model_params is not None and SDK_DEFAULTS.keys() <= asked.model_params.model_fields_set
    weak = {name: value for name, value in given.items() if by_default and SDK_DEFAULTS[name] == value}
    strong = {name: value for name, value in given.items() if name not in weak}
    model = _model(asked, None if deployed is None else deployed.model)
    if deployed is None:
        return Configuration(model, _earlier(asked), _ours(given), tuple(asked.functions or ()), asked.function_call)
    messages = tuple(PareaMessage(role=each.role, content=each.content) for each in deployed.messages)
    return Configuration(
        model=model,
        messages=_earlier(asked) if asked.messages else (*(asked.history or ()), *messages),
        params={**_ours(weak), **deployed.params, **_ours(strong)},
        functions=deployed.functions if asked.functions is None else tuple(asked.functions),
        function_call=deployed.function_call if asked.function_call is None else asked.function_call,
    )


def full_name(model: str, provider: str | None) -> str:
    """`provider/model`; a model that begins with its provider already has it."""
    return model if not provider or model.startswith(f"{provider}/") else f"{provider}/{model}"


def show_deployment(version: PromptVersion, inputs: Mapping[str, Json] | None) -> DeployedPrompt:
    """A saved prompt as `/deployed-prompt` shows it."""
    provider, slash, name = (version.model or "").partition("/")
    provider, name = (provider, name) if slash else ("", provider)
    room = Room()
    raw = [{"role": each.role, "content": each.content} for each in version.messages]
    call = version.function_call
    return DeployedPrompt(
        deployment_id=version.prompt_id,
        version_number=float(version.number),
        name=version.name,
        functions=[orjson.dumps(function).decode() for function in version.functions],
        function_call=call if call is None or isinstance(call, str) else orjson.dumps(call).decode(),
        prompt=FilledPrompt(
            raw_messages=raw,
            messages=[{**each, "content": fill(each["content"], inputs or {}, room)} for each in raw],
            inputs=None if inputs is None else dict(inputs),
        ),
        model=name or None,
        provider=provider or None,
        model_params={theirs: version.params[ours] for theirs, ours in OURS.items() if ours in version.params},
    )


def _earlier(asked: LLMConfiguration) -> tuple[PareaMessage, ...]:
    return (*(asked.history or ()), *(asked.messages or ()))


def _said(params: ModelParams) -> dict[str, Json]:
    return {name: value for name in SDK_DEFAULTS if (value := getattr(params, name)) is not None}


def _ours(params: Mapping[str, Json]) -> dict[str, Json]:
    return {OURS[name]: value for name, value in params.items()}


def _model(asked: LLMConfiguration, deployed: str | None) -> str | None:
    beside = asked.model_params.model if asked.model_params else None
    if asked.model and beside and full_name(asked.model, asked.provider) != full_name(beside, asked.provider):
        raise InvalidRequestError(
            f"The model is {asked.model} and, in `model_params`, {beside}: name one.",
            field="llm_configuration.model_params.model",
        )
    model = asked.model or beside
    if model:
        return full_name(model, asked.provider)
    if asked.provider and deployed is None:
        raise InvalidRequestError("A `provider` needs a `model` beside it.", field="llm_configuration.model")
    if asked.provider and deployed:
        return full_name(deployed.partition("/")[2] or deployed, asked.provider)
    return deployed
