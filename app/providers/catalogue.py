"""The catalogue of models: which generator a model id means."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from app.core.errors import InvalidRequestError, ModelNotFoundError
from app.core.ports import Generator, ModelChoice
from app.providers.any_llm import AnyLLMGenerator
from app.providers.certificates import trusted_certificates
from app.providers.openai_compatible import OpenAICompatibleGenerator
from app.providers.prices import load_prices
from app.providers.retry import ModelLimits
from app.providers.vendors import Connection, find_vendor, speaks_directly

OWN_PROVIDER = "footnote"
EXTRACTIVE = "extractive"
_ANY_OTHER = "anthropic"  # finding any provider that is not spoken to directly loads them all


class _ClosableGenerator(Generator, Protocol):
    async def aclose(self) -> None: ...


class Catalogue:
    """Models by id, `provider/model`; keeps one generator, and so one client, per provider, key and address.

    `environment` holds the vendors' own variables (OPENAI_API_KEY, OPENAI_BASE_URL, ...) and is read at each
    resolve. `default_provider` is what a bare name means; None refuses bare names.
    """

    def __init__(
        self,
        *,
        extractive: Generator,
        environment: Mapping[str, str],
        limits: ModelLimits | None = None,
        default_provider: str | None = None,
    ) -> None:
        self._extractive = extractive
        self._environment = environment
        self._limits = limits or ModelLimits()
        self._default_provider = default_provider
        self._generators: dict[Connection, _ClosableGenerator] = {}
        self._priced = False  # the prices are loaded
        self._loaded = False  # the vendors' libraries are

    def resolve(self, model: str, provider_key: str | None = None) -> ModelChoice:
        """The model behind an id; what follows the first slash is the provider's own name, slashes and all.

        A name without a slash means the default provider's. Raises ModelNotFoundError for an id that names
        no provider, an unknown one, or one whose API key is not set. Whether the provider has the model,
        only the provider knows: that error comes from the stream. With a `provider_key` the caller's own account
        is used, over a client that lives as long as this one request; raises InvalidRequestError for our own models.
        """
        provider, name = self._split(model)
        if provider == OWN_PROVIDER:
            _check_own(name)
            if provider_key is not None:
                raise InvalidRequestError(f"{model} needs no provider's key: leave it out.", field="provider_api_key")
            return ModelChoice(provider, name, self._extractive, cites_by_quoting=True)
        vendor = find_vendor(provider)
        if provider_key is not None:
            own = self._speaker(vendor.connect(self._environment, provider_key))
            return ModelChoice(provider, name, own, release=own.aclose)
        connection = vendor.connect(self._environment)
        generator = self._generators.get(connection)
        if generator is None:
            generator = self._generators[connection] = self._speaker(connection)
        return ModelChoice(provider, name, generator)

    def full_id(self, model: str) -> str:
        """The id with its provider; raises ModelNotFoundError as `resolve` does, and opens nothing."""
        provider, name = self._split(model)
        if provider == OWN_PROVIDER:
            _check_own(name)
        else:
            find_vendor(provider).connect(self._environment)
        return f"{provider}/{name}"

    async def prepare(self, model: str) -> None:
        """Loads the vendor's library and the prices in a thread: `resolve` would hold the event loop for a second."""
        provider = (model if "/" in model else f"{self._default_provider}/").strip().lower().partition("/")[0]
        if provider != OWN_PROVIDER and not self._priced:
            await asyncio.to_thread(_load_what_a_call_needs)
            self._priced = True
        if provider != OWN_PROVIDER and not speaks_directly(provider) and not self._loaded:
            await asyncio.to_thread(find_vendor, _ANY_OTHER)
            self._loaded = True

    async def aclose(self) -> None:
        """Closes every client."""
        generators, self._generators = self._generators, {}
        for generator in generators.values():
            await generator.aclose()

    def _speaker(self, connection: Connection) -> _ClosableGenerator:
        kind = OpenAICompatibleGenerator if connection.vendor.direct else AnyLLMGenerator
        return kind(connection, self._limits)

    def _split(self, model: str) -> tuple[str, str]:
        provider, slash, name = model.strip().partition("/")
        if not slash:
            if self._default_provider is None:
                raise ModelNotFoundError(
                    f"The model {model!r} does not say its provider. Write `provider/model`, such as "
                    f"`openai/{provider or 'gpt-4o-mini'}`, or set FOOTNOTE_DEFAULT_PROVIDER."
                )
            provider, name = self._default_provider, provider
        if not provider or not name:
            raise ModelNotFoundError(f"{model!r} is no model id. Model ids look like `provider/model`.")
        return provider.strip().lower(), name


def _check_own(name: str) -> None:
    if name != EXTRACTIVE:
        raise ModelNotFoundError(
            f"{OWN_PROVIDER}/{name} is no model that answers. {OWN_PROVIDER}/{EXTRACTIVE} does, and needs no key."
        )


def _load_what_a_call_needs() -> None:
    trusted_certificates()
    load_prices()
