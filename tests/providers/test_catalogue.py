"""Which generator a model id means."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator

import pytest

from app.core.errors import ModelNotFoundError
from app.core.ports import Models
from app.core.types import Delta, FinishReason, Prompt, Usage
from app.providers.catalogue import Catalogue
from app.providers.vendors import Connection, find_vendor
from tests.doubles.openai_server import OpenAIServer, say
from tests.providers.prompts import ask, collect, text_of


class Quoting:
    """A generator in the extractive one's place."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Says the question."""
        yield Delta(text=prompt.question, finish_reason=FinishReason.STOP, usage=Usage())


QUOTING = Quoting()


def catalogue(environment: dict[str, str] | None = None, default: str | None = None) -> Catalogue:
    return Catalogue(extractive=QUOTING, environment=environment or {}, default_provider=default)


def test_our_own_model_needs_nothing() -> None:
    models: Models = catalogue()
    choice = models.resolve("footnote/extractive")
    assert choice.generator is QUOTING
    assert choice.cites_by_quoting
    assert choice.id == "footnote/extractive"


async def test_a_vendors_model_with_key_and_address_from_the_environment() -> None:
    with OpenAIServer() as server:
        server.script(say("hi"))
        models = catalogue({"OPENAI_API_KEY": "sk-here", "OPENAI_BASE_URL": server.url})
        choice = models.resolve("OpenAI/gpt-4o-mini")
        assert (choice.provider, choice.name, choice.cites_by_quoting) == ("openai", "gpt-4o-mini", False)
        assert text_of(await collect(choice.generator.stream(ask(model=choice.name)))) == "hi"
        await models.aclose()
        assert server.requests[0].headers["authorization"] == "Bearer sk-here"
        assert server.requests[0].body["model"] == "gpt-4o-mini"


async def test_no_key_is_sent_where_none_is_needed() -> None:
    with OpenAIServer() as server:
        server.script(say("hi"))
        models = catalogue({"OLLAMA_HOST": server.url.removeprefix("http://").removesuffix("/v1")})
        choice = models.resolve("ollama/llama3")
        assert text_of(await collect(choice.generator.stream(ask(model=choice.name)))) == "hi"
        await models.aclose()
        assert server.requests[0].path == "/v1/chat/completions"
        assert "authorization" not in server.requests[0].headers


def test_models_of_one_provider_share_a_generator_until_its_key_changes() -> None:
    environment = {"OPENAI_API_KEY": "sk-1"}
    models = catalogue(environment)
    first = models.resolve("openai/gpt-4o").generator
    assert models.resolve("openai/gpt-4o-mini").generator is first
    environment["OPENAI_API_KEY"] = "sk-2"
    assert models.resolve("openai/gpt-4o").generator is not first


def test_a_models_own_slashes_are_its_own() -> None:
    choice = catalogue({"OPENROUTER_API_KEY": "k"}).resolve("openrouter/meta-llama/llama-3")
    assert (choice.provider, choice.name) == ("openrouter", "meta-llama/llama-3")


def test_a_bare_name_is_the_default_providers() -> None:
    models = catalogue({"OPENAI_API_KEY": "sk"}, default="openai")
    assert models.resolve("gpt-4o-mini").id == "openai/gpt-4o-mini"
    assert catalogue(default="footnote").resolve("extractive").generator is QUOTING


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("gpt-4o-mini", "Write `provider/model`, such as `openai/gpt-4o-mini`"),
        ("opnai/gpt-4o", "Did you mean 'openai'?"),
        ("zzzzzz/x", "Model ids look like `provider/model`"),
        ("openai/gpt-4o", "Set OPENAI_API_KEY."),
        ("anthropic/claude", "Set ANTHROPIC_API_KEY."),
        ("gemini/flash", "Set GEMINI_API_KEY."),
        ("groq/llama", "pip install 'any-llm-sdk[groq]'"),
        ("typesafe/x", "typesafe"),
        ("footnote/other", "footnote/extractive"),
        ("openai/", "Model ids look like `provider/model`"),
        ("/x", "Model ids look like `provider/model`"),
        ("", "Write `provider/model`"),
        ("../x/y", "There is no provider '..'"),
    ],
)
def test_what_cannot_be_resolved_says_what_to_do(model: str, says: str) -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        catalogue().resolve(model)
    assert says in caught.value.message


@pytest.mark.parametrize("name", ["ollama", "lmstudio", "llamafile", "llamacpp", "vllm"])
def test_local_servers_need_no_setting_at_all(name: str) -> None:
    connection = find_vendor(name).connect({})
    assert connection.api_key is None
    assert connection.api_base is not None
    assert connection.api_base.endswith("/v1")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("0.0.0.0", "http://0.0.0.0:11434/v1"),
        ("box:1", "http://box:1/v1"),
        ("http://box:1", "http://box:1/v1"),
        ("https://box/v1/", "https://box/v1"),
    ],
)
def test_a_local_address_as_its_own_tools_write_it(said: str, meant: str) -> None:
    assert find_vendor("ollama").connect({"OLLAMA_HOST": said}).api_base == meant


def test_a_key_is_in_no_repr() -> None:
    assert "sk-x" not in repr(Connection(find_vendor("openai"), "sk-x"))


def test_the_vendors_libraries_are_imported_only_for_who_is_not_spoken_to_directly() -> None:
    program = """
import sys
import app.providers.any_llm, app.providers.catalogue
heavy = {"any_llm", "openai", "anthropic", "httpx", "httpx2"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
catalogue = app.providers.catalogue.Catalogue(extractive=None, environment={})
catalogue.resolve("footnote/extractive")
assert not heavy & set(sys.modules), heavy & set(sys.modules)
import asyncio
asyncio.run(catalogue.prepare("openai/gpt-4o"))
assert not (heavy - {"httpx2"}) & set(sys.modules), heavy & set(sys.modules)
asyncio.run(catalogue.prepare("anthropic/claude-3-5-haiku-latest"))
assert "any_llm" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
