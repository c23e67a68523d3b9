"""What is known of a provider by its name: where its key and its address come from, and who speaks to it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from app.core.errors import ModelNotFoundError


@dataclass(frozen=True, slots=True)
class Vendor:
    """A provider that can be spoken to."""

    name: str
    key_variable: str | None = None  # the environment variable the vendor's own tools read
    base_variable: str | None = None
    default_base: str | None = None  # None: the client library knows
    needs_key: bool = True
    direct: bool = False  # spoken to as an OpenAI endpoint by app.providers.openai_compatible, not by any-llm
    older_token_limit: bool = False  # its server reads `max_tokens` and ignores `max_completion_tokens`

    def connect(self, environment: Mapping[str, str], own_key: str | None = None) -> Connection:
        """This vendor as `environment` says, with the caller's own key if there is one.

        Raises ModelNotFoundError naming the variable that is missing.
        """
        key = own_key or environment.get(self.key_variable or "") or None
        if key is None and self.needs_key:
            raise ModelNotFoundError(f"Provider {self.name!r} has no API key here. Set {self.key_variable}.")
        base = environment.get(self.base_variable or "") or None
        if base is not None and self.direct and not self.needs_key:
            base = _local_base(base, self.default_base or "")
        return Connection(self, api_key=key, api_base=base or self.default_base)


@dataclass(frozen=True, slots=True)
class Connection:
    """A vendor with the key and address to use; two equal ones share a client."""

    vendor: Vendor
    api_key: str | None = field(default=None, repr=False)  # out of logs and tracebacks
    api_base: str | None = None


def _local(name: str, key_variable: str | None, base_variable: str, port: int) -> Vendor:
    base = f"http://localhost:{port}/v1"
    return Vendor(name, key_variable, base_variable, base, needs_key=False, direct=True, older_token_limit=True)


def _hosted(name: str, base: str) -> Vendor:
    upper = name.upper()
    return Vendor(name, f"{upper}_API_KEY", f"{upper}_API_BASE", base, direct=True, older_token_limit=True)


def _local_base(address: str, default_base: str) -> str:
    """`host`, `host:port` or a URL, as local servers' own tools take it, made a URL that ends in /v1."""
    if "://" not in address:
        port = "" if ":" in address else f":{urlsplit(default_base).port}"
        address = f"http://{address}{port}"
    return address.rstrip("/").removesuffix("/v1") + "/v1"


_DIRECT = {
    vendor.name: vendor
    for vendor in (
        Vendor("openai", "OPENAI_API_KEY", "OPENAI_BASE_URL", "https://api.openai.com/v1", direct=True),
        Vendor(
            "gemini",
            "GEMINI_API_KEY",
            "GEMINI_API_BASE",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            direct=True,
        ),
        # on one's own machines
        _local("ollama", None, "OLLAMA_HOST", 11434),
        _local("lmstudio", "LM_STUDIO_API_KEY", "LM_STUDIO_API_BASE", 1234),
        _local("llamafile", None, "LLAMAFILE_API_BASE", 8080),
        _local("llamacpp", "LLAMACPP_API_KEY", "LLAMACPP_API_BASE", 8080),
        _local("vllm", "VLLM_API_KEY", "VLLM_API_BASE", 8000),
        # OpenAI's format and nothing of their own
        _hosted("dashscope", "https://dashscope.aliyuncs.com/compatible-mode/v1"),
        _hosted("deepinfra", "https://api.deepinfra.com/v1/openai"),
        _hosted("moonshot", "https://api.moonshot.ai/v1"),
        _hosted("nebius", "https://api.studio.nebius.ai/v1"),
        _hosted("ovhcloud", "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1"),
    )
}

# Their adapters find credentials by themselves (cloud chains, managed identities); a key is optional.
_OWN_CREDENTIALS = frozenset({"azure", "azureopenai", "bedrock", "otari", "sagemaker", "vertexai", "vertexaianthropic"})


def speaks_directly(name: str) -> bool:
    """Is this a provider that needs no vendor's library?"""
    return name in _DIRECT


def find_vendor(name: str) -> Vendor:
    """The provider of that name; raises ModelNotFoundError for one unknown, not installed, or unable to stream.

    The first call for one that is not spoken to directly imports any-llm, and with it the vendors' libraries: a second
    or more.
    """
    if name in _DIRECT:
        return _DIRECT[name]

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
