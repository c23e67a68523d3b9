"""What a completion costs, and what is known of a model."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ports import Prices
from app.core.types import Usage
from app.providers.prices import FREE, Facts, Price, PriceBook

BOOK = PriceBook()
TOKENS = st.integers(0, 10**7)


def test_a_vendors_price_is_for_both_ways() -> None:
    prices: Prices = BOOK
    assert prices.cost("openai/gpt-4o", Usage(1_000_000, 0)) == pytest.approx(2.5)
    assert prices.cost("openai/gpt-4o", Usage(0, 1_000_000)) == pytest.approx(10)
    assert prices.cost("OpenAI/gpt-4o", Usage(1000, 500)) == pytest.approx(0.0025 + 0.005)


def test_a_long_prompt_pays_the_higher_tier() -> None:
    short = BOOK.cost("gemini/gemini-2.5-pro", Usage(100_000, 0))
    long = BOOK.cost("gemini/gemini-2.5-pro", Usage(1_000_000, 0))
    assert short is not None
    assert long is not None
    assert long > 10 * short


@pytest.mark.parametrize("provider", sorted(FREE))
def test_what_nobody_bills_costs_nothing(provider: str) -> None:
    assert BOOK.cost(f"{provider}/gpt-4o", Usage(10**6, 10**6)) == 0


@pytest.mark.parametrize(
    "model",
    [
        "openai/nobody-knows-me",
        "openai/text-embedding-3-small",  # has a price for one way only
        "nobody/gpt-4o",
        "github/gpt-4o",  # not OpenAI's, though the table has a gpt-4o
        "gpt-4o",
        "openai/",
        "/",
        "",
    ],
)
def test_no_price_is_guessed(model: str) -> None:
    assert BOOK.cost(model, Usage(10, 10)) is None
    assert BOOK.facts(model).input_price is None


@pytest.mark.parametrize(
    ("model", "as_dear_as"),
    [
        ("azureopenai/gpt-4o", "azure/gpt-4o"),
        ("xai/grok-4", "xai/grok-4-0709"),
        ("bedrock/anthropic.claude-3-haiku-20240307-v1:0", "anthropic/claude-3-haiku-20240307"),
    ],
)
def test_providers_under_another_name_in_the_table(model: str, as_dear_as: str) -> None:
    cost = BOOK.cost(model, Usage(1000, 1000))
    assert cost is not None
    assert cost == BOOK.cost(as_dear_as, Usage(1000, 1000))


def test_models_marked_free_are_free() -> None:
    name, facts = next((name, facts) for name, facts in BOOK.chat_models("openrouter") if name.endswith(":free"))
    assert (facts.input_price, facts.output_price) == (0, 0)
    assert BOOK.cost(f"openrouter/{name}", Usage(10, 10)) == 0


def test_the_operators_price_comes_first() -> None:
    book = PriceBook({"OPENAI/gpt-4o": Price(1, 2, 4096), "ollama/qwen3:8b": Price(0.5, 0.5), "vllm/a/b": Price(3, 4)})
    assert book.cost("openai/gpt-4o", Usage(1_000_000, 1_000_000)) == 3
    assert book.facts("openai/gpt-4o") == Facts(1, 2, 4096)
    assert book.cost("ollama/qwen3:8b", Usage(1_000_000, 0)) == 0.5
    assert book.facts("vllm/a/b") == Facts(3, 4)
    assert book.cost("ollama/other", Usage(1, 1)) == 0
    assert dict(book.chat_models("openai"))["gpt-4o"] == Facts(1, 2, 4096)
    without_window = PriceBook({"openai/gpt-4o": Price(1, 2)})
    assert without_window.facts("openai/gpt-4o").context_length == BOOK.facts("openai/gpt-4o").context_length


@given(TOKENS, TOKENS, TOKENS)
def test_more_tokens_never_cost_less(prompt: int, completion: int, more: int) -> None:
    model = "anthropic/claude-3-5-haiku-latest"
    less = BOOK.cost(model, Usage(prompt, completion))
    assert less is not None
    assert less >= 0
    assert (BOOK.cost(model, Usage(prompt + more, completion)) or 0) >= less
    assert (BOOK.cost(model, Usage(prompt, completion + more)) or 0) >= less


@given(st.text(max_size=40))
def test_any_id_has_an_answer(model: str) -> None:
    cost = BOOK.cost(model, Usage(1, 1))
    assert cost is None or cost >= 0
    assert isinstance(BOOK.facts(model), Facts)


def test_chat_models_are_those_that_answer_with_text() -> None:
    names = dict(BOOK.chat_models("openai"))
    assert {"gpt-4o", "gpt-4o-mini", "gpt-4.1"} <= names.keys()
    assert names["gpt-4o"] == Facts(2.5, 10, 128_000)
    others = ("embedding", "image", "audio", "realtime", "tts", "whisper", "transcribe", "moderation", "ft:", ".ft-")
    assert [name for name in names if any(other in name for other in others)] == []
    assert all(facts.input_price is not None and facts.output_price is not None for facts in names.values())
    assert list(BOOK.chat_models("nobody")) == []
    assert [name for name, _ in BOOK.chat_models("gemini") if "claude" in name] == []
    assert [name for name, _ in BOOK.chat_models("mistral") if "embed" in name] == []


def test_an_address_is_the_vendors_own_or_not() -> None:
    assert BOOK.is_own_address("openai", "https://api.openai.com/v1")
    assert not BOOK.is_own_address("openai", "http://localhost:8000/v1")
    assert not BOOK.is_own_address("nobody", "https://api.openai.com/v1")


def test_the_table_is_read_by_the_first_price_that_is_not_ours() -> None:
    program = """
import sys
from app.core.types import Usage
from app.providers.prices import Price, PriceBook
book = PriceBook({"openai/a": Price(1, 2)})
assert book.cost("footnote/extractive", Usage(1, 1)) == 0
assert book.cost("openai/a", Usage(1, 1)) == 3e-6
assert "genai_prices" not in sys.modules
assert book.cost("openai/gpt-4o", Usage(1, 1))
assert "genai_prices" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
