"""What models cost and how much they read: genai-prices' table, under the operator's own prices."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from app.core.types import Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider, TieredPrices

MILLION = 1_000_000
# Nobody sends a bill for these: ours, and servers that people run themselves.
FREE = frozenset({"footnote", "llamacpp", "llamafile", "lmstudio", "ollama", "vllm"})
# Providers that the table calls otherwise than we do.
_PRICED_AS: Mapping[str, str] = {
    "azureanthropic": "azure",
    "azureopenai": "azure",
    "bedrock": "aws",
    "gemini": "google",
    "moonshot": "moonshotai",
    "vertexai": "google",
    "vertexaianthropic": "google",
    "xai": "x-ai",
}
# The table knows prices and not kinds. What no chat completion comes from is told by what it bills for, or by name.
_OTHER_OUTPUT = ("output_audio_mtok", "output_image_mtok", "output_video_mtok")
_OTHER_KINDS = re.compile(
    r"(?<![a-z])(?:ada|audio|babbage|computer|curie|davinci|embed(?:ding)?|guard|image|live|moderation|ocr|realtime|"
    r"rerank|safeguard|transcribe|tts|whisper)(?![a-z])|^ft:|\.ft-|^gpt-3\.5-turbo-instruct"
)
# The table's Google is the cloud with all its tenants; Gemini's own API has Google's models alone.
_ELSEWHERE: Mapping[str, re.Pattern[str]] = {"gemini": re.compile(r"^claude|-maas$")}


@dataclass(frozen=True, slots=True)
class Price:
    """What the operator says: US dollars per million tokens, and how many tokens the model reads."""

    input: float
    output: float
    context_length: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a model: US dollars per million tokens (of prompts in the lowest tier), and tokens it reads."""

    input_price: float | None = None
    output_price: float | None = None
    context_length: int | None = None
    deprecated: bool = False


class PriceBook:
    """Prices by model id, `provider/model`. The operator's come first; the table's are those of its release.

    The first look at the table takes half a second: see `load_prices`.
    """

    def __init__(self, own: Mapping[str, Price] | None = None) -> None:
        self._own = {"/".join(_parts(model)): price for model, price in (own or {}).items()}

    def cost(self, model: str, usage: Usage) -> float | None:
        """US dollars for a completion; None when no price is known.

        Tokens that a provider bills at less (cached ones) are not known apart: they count in full.
        """
        provider, name = _parts(model)
        own = self._own.get(f"{provider}/{name}")
        if own is not None:
            return (usage.prompt_tokens * own.input + usage.completion_tokens * own.output) / MILLION
        if provider in FREE:
            return 0.0
        found = _find(provider, name)
        if found is None or _rates(found) is None:
            return None

        from genai_prices import Usage as Counted

        counted = Counted(input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens)
        return float(found.get_prices(datetime.now(UTC)).calc_price(counted)["total_price"])

    def facts(self, model: str) -> Facts:
        """What is known of any model id; nothing at all is an answer too."""
        provider, name = _parts(model)
        if provider in FREE:
            return self._told(provider, name, Facts(0.0, 0.0))
        found = _find(provider, name)
        return self._told(provider, name, Facts() if found is None else _facts(found))

    def chat_models(self, provider: str) -> Iterator[tuple[str, Facts]]:
        """The names of a provider's models that have a price for text in and text out, and what is known of each.

        The names are the table's; whether the provider still answers to one, and to whom, only the provider knows.
        """
        elsewhere = _ELSEWHERE.get(provider)
        for model in _models(provider):
            other = _OTHER_KINDS.search(model.id) or (elsewhere and elsewhere.search(model.id))
            if other or not model.is_match(model.id) or _rates(model) is None:
                continue  # the second: a family's name, which is no model's
            prices = model.get_prices(datetime.now(UTC))
            if not any(getattr(prices, each) for each in _OTHER_OUTPUT):
                yield model.id, self._told(provider, model.id, _facts(model))

    def is_own_address(self, provider: str, address: str) -> bool:
        """Is this URL the provider's own, as opposed to a proxy's or a local server's?"""
        found = _provider(provider)
        return found is not None and re.match(found.api_pattern, address) is not None

    def _told(self, provider: str, name: str, facts: Facts) -> Facts:
        own = self._own.get(f"{provider}/{name}")
        if own is None:
            return facts
        return Facts(own.input, own.output, own.context_length or facts.context_length, facts.deprecated)


def load_prices() -> None:
    """Reads the table into memory, where the first `cost` would hold the event loop for half a second."""
    from genai_prices.data_snapshot import get_snapshot

    get_snapshot()


def _parts(model: str) -> tuple[str, str]:
    provider, _, name = model.strip().partition("/")
    return provider.lower(), name


def _provider(name: str) -> Provider | None:
    from genai_prices.data_snapshot import get_snapshot

    wanted = _PRICED_AS.get(name, name)  # exactly: the table's own search takes `azureopenai` for OpenAI itself
    return next((each for each in get_snapshot().providers if each.id == wanted), None)


def _models(provider: str) -> list[ModelInfo]:
    found = _provider(provider)
    return [] if found is None else found.models


@functools.lru_cache(maxsize=1024)  # a search through some hundred patterns
def _find(provider: str, name: str) -> ModelInfo | None:
    from genai_prices.data_snapshot import get_snapshot

    found = _provider(provider)
    return None if found is None else found.find_model(name, all_providers=get_snapshot().providers)


def _facts(model: ModelInfo) -> Facts:
    rates = _rates(model)
    window, deprecated = model.context_window, bool(model.deprecated)
    return Facts(None, None, window, deprecated) if rates is None else Facts(*rates, window, deprecated)


def _rates(model: ModelInfo) -> tuple[float, float] | None:
    """Input and output; a model without both has no price that is known, but for those marked free."""
    if model.id.endswith(":free"):
        return 0.0, 0.0
    prices = model.get_prices(datetime.now(UTC))
    if prices.input_mtok is None or prices.output_mtok is None:
        return None
    return _base(prices.input_mtok), _base(prices.output_mtok)


def _base(price: Decimal | TieredPrices) -> float:
    return float(price if isinstance(price, Decimal) else price.base)
