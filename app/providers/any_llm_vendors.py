"""What is known of a provider by its name: where its key and its address come from, and who speaks to it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from app.core.errors import ModelNotFoundError


@dataclass(frozen=True, slots=True)
class Vendor:
    """A provider any-llm can speak to."""

    name: str
    key_variable: str | None = None  # the environment variable the vendor's own tools read
    base_variable: str | None = None
    default_base: str | None = None  # None: the client library knows
    needs_key: bool = True
    # Spoken to as a plain OpenAI endpoint: any-llm's own adapter needs a package beyond the default install.
    plain_openai: bool = False
    older_token_limit: bool = False  # its server reads `max_tokens` and ignores `max_completion_tokens`

    def connect(self, environment: Mapping[str, str], own_key: str | None = None) -> Connection:
        """This vendor as `environment` says, with the caller's own key if there is one.

        Raises ModelNotFoundError naming the variable that is missing.
        """
        key = own_key or environment.get(self.key_variable or "") or None
        if key is None and self.needs_key:
            raise ModelNotFoundError(f"Provider {self.name!r} has no API key here. Set {self.key_variable}.")
        base = environment.get(self.base_variable or "") or None
        if base is not None and self.plain_openai and not self.needs_key:
            base = _local_base(base, self.default_base or "")
        return Connection(self, api_key=key, api_base=base or self.default_base)


@dataclass(frozen=True, slots=True)
class Connection:
    """A vendor with the key and address to use; two equal ones share a client."""

    vendor: Vendor
    api_key: str | None = field(default=None, repr=False)  # out of logs and tracebacks
    api_base: str | None = None


def _local_base(address: str, default_base: str) -> str:
    """`host`, `host:port` or a URL, as local servers' own tools take it, made a URL that ends in /v1."""
    if "://" not in address:
        port = "" if ":" in address else f":{urlsplit(default_base).port}"
        address = f"http://{address}{port}"
    return address.rstrip("/").removesuffix("/v1") + "/v1"


_PLAIN_OPENAI = {
    vendor.name: vendor
    for vendor in (
        Vendor("ollama", None, "OLLAMA_HOST", "http://localhost:11434/v1", False, True, True),
        Vendor(
            "lmstudio",
            "LM_STUDIO_API_KEY",
            "LM_STUDIO_API_BASE",
            "http://localhost:1234/v1",
            False,
            True,
            True,
        ),
        Vendor("llamafile", None, "LLAMAFILE_API_BASE", "http://localhost:8080/v1", False, True, True),
        Vendor(
            "gemini",
            "GEMINI_API_KEY",
            "GEMINI_API_BASE",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            plain_openai=True,
        ),
    )
}

# Their adapters find credentials by themselves (cloud chains, managed identities); a key is optional.
_OWN_CREDENTIALS = frozenset({"azure", "azureopenai", "bedrock", "otari", "sagemaker", "vertexai", "vertexaianthropic"})


def find_vendor(name: str) -> Vendor:
    """The provider of that name; raises ModelNotFoundError for one unknown, not installed, or unable to stream.

    The first call imports any-llm, and with it the vendors' libraries: a second or more.
    """
    if name in _PLAIN_OPENAI:
        return _PLAIN_OPENAI[name]

    from any_llm.any_llm import AnyLLM
    from any_llm.exceptions import UnsupportedProviderError
    from any_llm.providers.registry import get_registry_config

    try:
        provider = AnyLLM.get_provider_class(name)
        missing = provider.MISSING_PACKAGES_ERROR is not None
    except UnsupportedProviderError:
        near = difflib.get_close_matches(name, AnyLLM.get_supported_providers(), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else " Model ids look like `provider/model`."
        raise ModelNotFoundError(f"There is no provider {name!r}.{hint}") from None
    except ImportError:
        missing = True
    if missing:
        raise ModelNotFoundError(
            f"Provider {name!r} needs a package that is not installed: pip install 'any-llm-sdk[{name}]'."
        )
    if not provider.SUPPORTS_COMPLETION_STREAMING:
        raise ModelNotFoundError(f"Provider {name!r} cannot stream completions.")

    row = get_registry_config(name)
    # any-llm writes "None" for an adapter that takes no key.
    key_variable = None if provider.ENV_API_KEY_NAME in ("", "None") else provider.ENV_API_KEY_NAME
    return Vendor(
        name=name,
        key_variable=key_variable,
        base_variable=provider.ENV_API_BASE_NAME,
        default_base=provider.API_BASE,
        needs_key=key_variable is not None
        and name not in _OWN_CREDENTIALS
        and not (row is not None and row.api_key_optional),
    )
