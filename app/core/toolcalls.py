"""Puts streamed pieces of tool calls together."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.types import ToolCall, ToolCallDelta


def assemble(deltas: Iterable[ToolCallDelta]) -> tuple[ToolCall, ...]:
    """Whole calls in the order of their indexes; a later piece adds arguments, never another name or id."""
    ids: dict[int, str] = {}
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for delta in deltas:
        ids.setdefault(delta.index, delta.id or f"call_{delta.index}")
        if delta.name:
            names.setdefault(delta.index, delta.name)
        arguments[delta.index] = arguments.get(delta.index, "") + delta.arguments
    return tuple(ToolCall(ids[index], names.get(index, ""), arguments[index]) for index in sorted(ids))
