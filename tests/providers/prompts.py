"""Prompts for the tests of generators."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from app.core.types import Delta, Message, Prompt


def ask(question: str = "Why?", **fields: Any) -> Prompt:
    """A system message and a question; `fields` replace or add to the Prompt's."""
    messages = (Message("system", "Be brief."), Message("user", question))
    return Prompt(**{"model": "tiny", "messages": messages, "question": question, **fields})


async def collect(stream: AsyncGenerator[Delta, None]) -> list[Delta]:
    """All of a stream."""
    return [delta async for delta in stream]


def text_of(deltas: list[Delta]) -> str:
    """What the deltas say together."""
    return "".join(delta.text for delta in deltas)
