"""What a caller says must not be kept is in no file and in no table, whatever became of the request.

Every request carries words that are found nowhere else. The same requests without the omission leave them behind: the
search can find them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import create_engine, inspect, text

from tests.clients.service_process import Service, running_service
from tests.doubles.openai_server import CUT, OpenAIServer, refuse, say

BASE = "/api/parea/v1"
Omission = dict[str, bool]


@dataclass(frozen=True, slots=True)
class Words:
    """What is asked, what is said, and the caller's own key: each a word of its own."""

    asked: str
    said: str
    key: str


class Place:
    """A running service, and all that it writes."""

    def __init__(self, service: Service, model: OpenAIServer, folder: Path, database: str | None) -> None:
        self.service = service
        self.model = model
        self.folder = folder
        self.database = database
        self.client = httpx2.Client(base_url=service.url, headers={"x-api-key": service.key}, timeout=60)

    def holds(self, word: str) -> list[str]:
        """Files and tables in which the word stands."""
        raw = word.encode()
        found = [str(path) for path in self.folder.rglob("*") if path.is_file() and raw in path.read_bytes()]
        if self.database is not None:
            found += self._tables(word)
        return found

    def _tables(self, word: str) -> list[str]:
        engine = create_engine(self.database.replace("postgresql:", "postgresql+psycopg:"))  # type: ignore[union-attr]
        found = []
        with engine.connect() as connection:
            for schema in inspect(connection).get_schema_names():
                if schema == "information_schema":
                    continue
                for table in inspect(connection).get_table_names(schema=schema):
                    whole = f'SELECT count(*) FROM "{schema}"."{table}" AS each WHERE each::text LIKE :word'
                    if connection.execute(text(whole), {"word": f"%{word}%"}).scalar_one():
                        found.append(f"{schema}.{table}")
        engine.dispose()
        return found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database_url: Callable[[str, str], str]
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("omitting")
    with OpenAIServer() as model:
        variables = {
            "OPENAI_BASE_URL": model.url,
            "OPENAI_API_KEY": "sk-test",
            "FOOTNOTE_EMBEDDER": "hashing",
            "FOOTNOTE_MODEL_RETRIES": "0",
            "FOOTNOTE_LOG_LEVEL": "debug",
        }
        database = database_url("postgresql", "omitting") if request.param == "postgresql" else None
        if database is not None:
            variables["FOOTNOTE_DATABASE_URL"] = database
        with running_service(folder, variables) as service:
            place = Place(service, model, folder, database)
            number = service.post("/v1/repositories", json={"name": "Tools"})["id"]
            service.post(
                f"/v1/repositories/{number}/documents",
                params={"wait": "true"},
                files={"file": ("tools.txt", b"A pressure washer may be borrowed for three days.", "text/plain")},
            )
            yield place
            place.client.close()


def completion(words: Words, omission: Omission, **more: Any) -> dict[str, Any]:
    """A request with the word wherever a request may have one."""
    function = {"name": "look_up", "description": words.asked, "parameters": {"type": "object", "properties": {}}}
    return {
        "llm_inputs": {"thing": words.asked},
        "llm_configuration": {
            "model": "openai/gpt-test",
            "messages": [
                {"role": "system", "content": f"Be {words.asked}."},
                {"role": "user", "content": f"{words.asked} {{{{thing}}}}?"},
            ],
            "functions": [function],
        },
        "target": words.asked,
        "eval_metric_ids": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        **omission,
        **more,
    }


def whole(place: Place, words: Words, omission: Omission) -> None:
    place.model.script(say(words.said))
    trace = ok(place.client.post(f"{BASE}/completion", json=completion(words, omission)))["trace_id"]
    feedback = {"trace_id": trace, "score": 0.5, "target": words.asked}
    ok(place.client.post(f"{BASE}/feedback", json=feedback))
    told = {"trace_id": trace, "field_name_to_value_map": {"target": words.asked}}
    assert place.client.put(f"{BASE}/trace_log", json=told).status_code == 200


def streamed(place: Place, words: Words, omission: Omission) -> None:
    place.model.script(say(words.said, " ", words.said))
    assert words.said in place.client.post(f"{BASE}/completion/stream", json=completion(words, omission)).text


def cached_twin(place: Place, words: Words, omission: Omission) -> None:
    """A kept answer is not given to who wants nothing kept, and the other way round."""
    place.model.script(say(words.said), say(words.said))
    for _ in range(2):
        answer = ok(place.client.post(f"{BASE}/completion", json=completion(words, omission, cache=True)))
        assert answer["cache_hit"] in (False, not omission)
    place.model.clear()


def provider_fails(place: Place, words: Words, omission: Omission) -> None:
    place.model.script(refuse(500, f"cannot do {words.asked}"))
    assert place.client.post(f"{BASE}/completion", json=completion(words, omission, cache=False)).status_code == 502


def another_speaks(place: Place, words: Words, omission: Omission) -> None:
    """The first model's failure is told beside the second's answer."""
    place.model.script(refuse(500, f"cannot do {words.asked}"), say(words.said))
    request = completion(words, omission, cache=False, fallback_strategy=["openai/second"])
    assert ok(place.client.post(f"{BASE}/completion", json=request))["attempts"]


def stream_breaks(place: Place, words: Words, omission: Omission) -> None:
    place.model.script(say(words.said, CUT))
    request = completion(words, omission, cache=False)
    with place.client.stream("POST", f"{BASE}/completion/stream", json=request) as response:
        pieces = response.iter_bytes()
        with pytest.raises(httpx2.RemoteProtocolError):
            list(pieces)


def answer_does_not_fit(place: Place, words: Words, omission: Omission) -> None:
    place.model.script(say(f'{{"{words.said}": "{words.said}"}}'))
    schema = {"type": "object", "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    request = completion(words, omission)
    request["llm_configuration"] |= {"model_params": {"response_format": wanted}, "functions": None}
    assert place.client.post(f"{BASE}/completion", json=request).status_code == 502


def refused(place: Place, words: Words, omission: Omission) -> None:
    """Nothing is similar enough: a content gap, which would be noted with its question."""
    where = {"repositories": {"similarity_threshold": 0.99}}
    request = completion(words, omission, **where)
    request["llm_configuration"] |= {"model": "footnote/extractive", "functions": None}
    assert ok(place.client.post(f"{BASE}/completion", json=request))["refused"]


def own_key(place: Place, words: Words, omission: Omission) -> None:
    """A provider that repeats the key it was given."""
    for reply, status in ((say(words.said), 200), (refuse(401, f"Incorrect API key provided: {words.key}."), 502)):
        place.model.script(reply)
        request = completion(words, omission, provider_api_key=words.key, cache=False)
        assert place.client.post(f"{BASE}/completion", json=request).status_code == status
    bad = completion(words, omission, provider_api_key=words.key, log_sample_rate=7)
    answer = place.client.post(f"{BASE}/completion", json=bad)
    assert answer.status_code == 422
    assert words.key not in answer.text


EVERYTHING = [
    whole,
    streamed,
    cached_twin,
    provider_fails,
    another_speaks,
    stream_breaks,
    answer_does_not_fit,
    refused,
    own_key,
]


def ok(response: httpx2.Response) -> Any:
    """The JSON of a good answer."""
    assert response.status_code == 200, response.text
    return response.json()


def new_words() -> Words:
    return Words(*(f"zq{secrets.token_hex(6)}" for _ in range(3)))


@pytest.mark.slow
def test_no_file_and_no_table_has_what_was_omitted(place: Place) -> None:
    kept, none, asked_only, said_only = (new_words() for _ in range(4))
    for request in EVERYTHING:
        place.model.clear()
        for words, omission in (
            (none, {"log_omit": True}),
            (asked_only, {"log_omit_outputs": True}),
            (said_only, {"log_omit_inputs": True}),
            (kept, {}),
        ):
            request(place, words, omission)
        for words in (none, asked_only, said_only, kept):
            assert place.holds(words.key) == [], request.__name__
        assert place.holds(none.asked) == [], request.__name__
        assert place.holds(none.said) == [], request.__name__
        assert place.holds(said_only.asked) == [], request.__name__
        assert place.holds(asked_only.said) == [], request.__name__
    for word in (kept.asked, kept.said, asked_only.asked, said_only.said):
        assert place.holds(word), "the search finds nothing at all"
