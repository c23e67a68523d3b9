"""Settings that are more than one word: how people write them, and how a wrong one is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.cli.configuration import faults
from app.settings import ModelPrice, Settings

PRICES = '{"vllm/org/name": {"input": 0.2, "output": 0.4, "context_length": 32768}, "ollama/qwen3:8b": '
PRICES += '{"input": 0, "output": 0}}'


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"FOOTNOTE_{name}", value)
    return Settings(_env_file=None)


@pytest.mark.parametrize(
    "written",
    ["ollama/qwen3:8b, vllm/org/name", "ollama/qwen3:8b,vllm/org/name,", '["ollama/qwen3:8b", "vllm/org/name"]'],
)
def test_models_as_people_write_lists(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    assert read(monkeypatch, MODELS=written).models == ("ollama/qwen3:8b", "vllm/org/name")


def test_prices_as_json_or_as_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(PRICES)
    for written in (PRICES, str(file), f"  {PRICES}\n"):
        prices = read(monkeypatch, PRICES=written).prices
        assert prices["vllm/org/name"] == ModelPrice(input=0.2, output=0.4, context_length=32768)
        assert prices["ollama/qwen3:8b"] == ModelPrice(input=0, output=0)


def test_nothing_said_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, MODELS="", PRICES=" ").models == ()
    assert not read(monkeypatch, MODELS="", PRICES=" ").prices


@pytest.mark.parametrize(
    ("name", "written", "says"),
    [
        ("MODELS", "gpt-4o", "'gpt-4o' is no model id"),
        ("MODELS", "openai/", "'openai/' is no model id"),
        ("MODELS", '["openai/gpt-4o"', "not JSON"),
        ("MODELS", "[1]", "string"),
        ("PRICES", "{", "not JSON"),
        ("PRICES", "no/such/file.json", "neither a JSON object nor a file"),
        ("PRICES", '{"gpt-4o": {"input": 1, "output": 2}}', "'gpt-4o' is no model id"),
        ("PRICES", '{"openai/gpt-4o": {"input": 1}}', "OUTPUT: Field required"),
        ("PRICES", '{"openai/gpt-4o": {"input": -1, "output": 2}}', "greater than or equal to 0"),
        ("PRICES", '{"openai/gpt-4o": {"input": NaN, "output": 2}}', "finite"),
        ("PRICES", '{"openai/gpt-4o": {"input": 1, "output": 2, "context_length": 0}}', "greater than or equal to 1"),
        ("PRICES", '{"openai/gpt-4o": {"input": 1, "output": 2, "currency": "EUR"}}', "Extra inputs"),
        ("PRICES", '{"openai/gpt-4o": 3}', "MODEL"),
    ],
)
def test_a_wrong_one_is_told_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, written: str, says: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        read(monkeypatch, **{name: written})
    told = "\n".join(faults(caught.value))
    assert told.startswith(f"FOOTNOTE_{name}")
    assert says.lower() in told.lower()
