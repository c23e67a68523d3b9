"""Prem's answers, from core types alone."""

from __future__ import annotations

from app.core.types import (
    Answer,
    Attempt,
    Choice,
    Finished,
    FinishReason,
    Funnel,
    Retrieved,
    Started,
    ToolCall,
    Usage,
)
from app.dialects.prem.completions import PremDialect

STARTED = Started("trace", "thread", 1, "openai/first", "openai", 1, "")
NOTHING = Retrieved((), Funnel(), asked=False)


def test_a_fallback_is_named_with_what_failed_before_it() -> None:
    failed = Attempt("openai/first", "openai failed with status 500.")
    finished = Finished(
        "Hi.", (), (), Usage(1, 2), FinishReason.STOP, model="groq/second", cost=0.25, attempts=(failed,)
    )
    shown = PremDialect().render(Answer(STARTED, NOTHING, finished))
    assert (shown["model"], shown["provider_name"], shown["provider_id"]) == ("groq/second", "groq", "groq")
    assert shown["attempts"] == [{"model": "openai/first", "error": "openai failed with status 500."}]
    assert shown["cost"] == 0.25


def test_tool_calls_stand_in_both_places_with_objects_as_arguments() -> None:
    calls = (ToolCall("call_1", "find", '{"title": "Emma"}'), ToolCall("call_2", "now", ""))
    second = Choice("Else.", (), (), FinishReason.STOP)
    finished = Finished("", calls, (), Usage(), FinishReason.TOOL_CALLS, others=(second,), model="openai/first")
    called, plain = PremDialect().render(Answer(STARTED, NOTHING, finished))["choices"]
    assert called["message"]["content"] is None
    assert called["tool_calls"] == called["message"]["tool_calls"]
    assert [call["function"]["arguments"] for call in called["tool_calls"]] == [{"title": "Emma"}, {}]
    assert (plain["index"], plain["message"]["content"], plain["message"]["tool_calls"]) == (1, "Else.", None)
    assert "tool_calls" not in plain
