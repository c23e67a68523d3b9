"""Parea's messages as core messages: `{{name}}` filled in, example roles, calls of functions in a message's text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.core.errors import InvalidRequestError
from app.core.prompting import Room
from app.core.types import Json, Message, Role, ToolCall
from app.dialects.parea.wire import PareaMessage, WireRole

FIELD = "llm_configuration.messages"
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_ROLES: Mapping[WireRole, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "example_user": "user",
    "example_assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


def fill(content: str, inputs: Mapping[str, Json], room: Room | None = None) -> str:
    """`{{name}}` by its value, once: what a value contains is text. A name that no input has stays as it is.

    A value that is no text is put in as JSON.
    """
    room = room or Room()
    return _PLACEHOLDER.sub(
        lambda found: room.take(_text(inputs[found[1]])) if found[1] in inputs else found[0],
        content,
    )


def to_messages(wired: Sequence[PareaMessage], inputs: Mapping[str, Json]) -> tuple[Message, ...]:
    """Core messages; raises InvalidRequestError for what cannot be sent to a model.

    Calls of functions come back from here as a JSON list in `content`: an assistant message with such a list, followed
    by a tool's message, is what the model said then, and the tool's messages answer its calls in their order.
    """
    messages: list[Message] = []
    room = Room()
    waiting: list[str] = []  # ids of calls that no tool has answered yet
    for number, message in enumerate(wired):
        role, content = _ROLES[message.role], message.content or ""
        if role == "tool":
            call_id = message.tool_call_id or (waiting[0] if waiting else None)
            if call_id is None:
                raise InvalidRequestError(
                    "A tool's message must follow the assistant's that calls it, whose `content` is the list of calls "
                    "as it came, or say its `tool_call_id`.",
                    field=FIELD,
                )
            waiting = [each for each in waiting if each != call_id]
            messages.append(Message("tool", content, tool_call_id=call_id, name=message.name))
            continue
        answered = number + 1 < len(wired) and _ROLES[wired[number + 1].role] == "tool"
        calls = _calls(content) if role == "assistant" and answered else ()
        waiting = [call.id for call in calls]
        if calls:
            messages.append(Message("assistant", None, tool_calls=calls, name=message.name))
        else:
            messages.append(Message(role, fill(_only_text(content), inputs, room), name=message.name))
    return tuple(messages)


def calls_text(calls: Sequence[ToolCall]) -> str:
    """Calls of functions as Parea writes them into `content`: arguments as objects, four spaces deep."""
    shown = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _parsed(call.arguments)}}
        for call in calls
    ]
    return json.dumps(shown, indent=4)


def to_tools(functions: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Json], ...]:
    """Functions as tools; those that are tools already stay as they are."""
    tools: list[Mapping[str, Json]] = []
    for function in functions:
        inner = function.get("function")
        described = inner if isinstance(inner, dict) else function
        if not isinstance(described.get("name"), str):
            raise InvalidRequestError("Every function must have a `name`.", field="llm_configuration.functions")
        tools.append({"type": "function", "function": described})
    return tuple(tools)


def to_tool_choice(function_call: str | dict[str, str] | None, tools: Sequence[Mapping[str, Any]]) -> Json:
    """Which function the model must call; raises InvalidRequestError for one that was not given."""
    field = "llm_configuration.function_call"
    name = function_call.get("name") if isinstance(function_call, dict) else function_call
    if function_call is not None and not name:
        raise InvalidRequestError('`function_call` must be auto, none, required or {"name": …}.', field=field)
    if name in (None, "auto", "none", "required") and not isinstance(function_call, dict):
        if name == "required" and not tools:
            raise InvalidRequestError("`function_call` is required, but there are no `functions`.", field=field)
        return name if tools else None
    if name not in {tool["function"]["name"] for tool in tools}:
        raise InvalidRequestError(f"`function_call` names {name!r}, which is not in `functions`.", field=field)
    return {"type": "function", "function": {"name": name}}


def _calls(content: str) -> tuple[ToolCall, ...]:
    found = _parsed(content)
    if not isinstance(found, list) or not found:
        return ()
    calls = []
    for number, each in enumerate(found):
        body = each.get("function", each) if isinstance(each, dict) else None
        if not isinstance(body, dict) or not isinstance(body.get("name"), str):
            return ()
        arguments = body.get("arguments", {})
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        calls.append(ToolCall(str(each.get("id") or f"call_{number}"), body["name"], text))
    return tuple(calls)


def _only_text(content: str) -> str:
    """Parea's SDK sends a list of content parts as JSON text: its texts, joined; an image is refused."""
    parts = _parsed(content) if content.lstrip().startswith("[") else None
    if not isinstance(parts, list) or not parts or not all(_is_part(part) for part in parts):
        return content
    if any(part["type"] != "text" for part in parts):
        raise InvalidRequestError("Images are not supported: send text.", field=FIELD)
    return "\n".join(str(part.get("text", "")) for part in parts)


def _is_part(part: Json) -> bool:
    return isinstance(part, dict) and part.get("type") in ("text", "image_url")


def _parsed(text: str) -> Json:
    """The JSON in a text, numbers of any length as they are; the text itself where there is none."""
    try:
        orjson.loads(text or "{}")  # the stricter reader: no NaN, no half of a character
    except orjson.JSONDecodeError:
        return text
    return json.loads(text or "{}")


def _text(value: Json) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
