"""A chat completion in Prem's format: every field that its SDKs and documents name, and what becomes of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from app.core.types import Json
from app.dialects.chat import ChatRequest
from app.dialects.ids import Id
from app.dialects.support import Fields, honoured, passed

FIELDS: Fields = {
    "project_id": honoured("The key's own project; the admin key opens every one."),
    "messages": honoured("The conversation, of which the last user message is the question."),
    "messages.role": honoured("user, assistant, system (joined to the system prompt), and tool for a tool's result."),
    "messages.content": honoured("Text, also as parts of type `text`; a part of type `image_url` is refused by name."),
    "messages.template_id": honoured("A saved prompt of one message, whose `${name}` are filled in from `params`."),
    "messages.params": honoured("A missing one becomes empty, an unknown one is ignored; `content` is the message's."),
    "messages.tool_calls": honoured("An assistant's earlier calls, with arguments as objects or as text."),
    "messages.tool_call_id": honoured("Whose result a message with role `tool` is."),
    "template_id": honoured("LangChain's: the template of user messages that have `params` and no template."),
    "session_id": honoured("Your name for the conversation; its turns are shown to the model, none of them twice."),
    "repositories": honoured("Where to search; overrides the project's."),
    "repositories.ids": honoured("The project's repositories when left out."),
    "repositories.limit": honoured("Most chunks to bring: Prem's 1 to 5, and up to `FOOTNOTE_RETRIEVAL_MAX_LIMIT`."),
    "repositories.similarity_threshold": honoured("0 to 1, compared with `similarity_score`."),
    "model": honoured("`provider/model`; the project's when left out."),
    "system_prompt": honoured("Overrides the project's."),
    "max_tokens": honoured("0 is no limit."),
    "stream": honoured("Server-sent events, one network message each."),
    "temperature": honoured("0 to 2; goes to the model."),
    "top_p": honoured("0 to 1; goes to the model."),
    "stop": honoured("A text or a list of them; goes to the model."),
    "seed": honoured("Goes to the model."),
    "frequency_penalty": honoured("-2 to 2; goes to the model."),
    "presence_penalty": honoured("-2 to 2; goes to the model."),
    "logit_bias": passed("By the model's own token numbers, -100 to 100."),
    "n": honoured("Answers to one prompt, at most `FOOTNOTE_MAX_CHOICES`."),
    "tools": honoured("Functions go to the model; its calls come back with their arguments as objects."),
    "tools.type": honoured("Only `function`; any other is refused as `tools`."),
    "tools.function": honoured("Goes to the model as it came, with whatever else it says."),
    "tools.function.name": honoured("Must not be empty."),
    "tools.function.description": honoured("Goes to the model."),
    "tools.function.parameters": honoured("A JSON Schema of type `object`; the literal `<string>` is refused."),
    "response_format": honoured("json_object or json_schema; the answer is held against it."),
    "user": honoured("Keeps your end users' sessions apart and stands in the trace; it stays in this service."),
}

EXAMPLE: dict[str, Json] = {
    "project_id": 1,
    "messages": [{"role": "user", "content": "How long may I borrow a pressure washer?"}],
    "repositories": {"ids": [1], "limit": 3, "similarity_threshold": 0.35},
}


class _Parameters(BaseModel):
    type: Literal["object"] = "object"
    properties: dict[str, dict[str, Any]] = {}
    required: list[str] = []


class _Function(BaseModel):
    name: str = Field(min_length=1)
    description: str | None = None
    parameters: _Parameters | None = None


class _Tool(BaseModel):
    type: Literal["function"]
    function: _Function


def _checked(tool: dict[str, Any]) -> dict[str, Any]:
    """The tool as it came: what else it says of itself is the provider's to read."""
    try:
        _Tool.model_validate(tool)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PydanticCustomError("tool", "its `{where}`: {why}", {"where": where, "why": first["msg"]}) from error
    return tool


class PremRequest(ChatRequest):
    """A chat completion in Prem's format."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    project_id: Id = Field(ge=1, strict=True)  # "2" or true must not silently mean the key's own project
    model: str | None = Field(None, description="The project's when left out.")
    template_id: str | None = Field(None, description="For user messages that have `params` and no template.")
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    n: int | None = Field(None, ge=1, strict=True, description="Answers to one prompt.")
    tools: list[Annotated[dict[str, Any], AfterValidator(_checked)]] | None = None
