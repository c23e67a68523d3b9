"""Parea's logs stand in one tree with completions; searched, changed, sampled, judged, and one project's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.api.parea import BASE, COMPLETION, body, fault, log
from tests.doubles.openai_server import OpenAIServer, say


@pytest.fixture(autouse=True)
def fresh_model(model_server: OpenAIServer) -> Iterator[None]:
    model_server.clear()
    yield
    model_server.clear()


class TestLogs:
    def test_completions_and_logs_stand_in_one_tree(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        root, step = str(uuid.uuid4()), str(uuid.uuid4())
        model_server.script(say("Rain."))
        inside: dict[str, Any] = {"parent_trace_id": step, "root_trace_id": root, "trace_name": "llm", "tags": ["t"]}
        made = api.post(COMPLETION, json=body(**inside, metadata={"who": '"ann"'}, llm_inputs={"a": "b"})).json()
        written = log(step, parent_trace_id=root, root_trace_id=root, output="Rain.", latency=0.25)
        assert api.post(f"{BASE}/trace_log", json=written).status_code == 200
        assert api.post(f"{BASE}/trace_log", json=log(root, trace_name="chain", inputs={"q": "x"})).json() is None
        found = api.get(f"{BASE}/trace_log/{root}").json()
        assert (found["trace_name"], found["inputs"], found["depth"]) == ("chain", {"q": "x"}, 0)
        (child,) = found["children_logs"]
        assert (child["trace_id"], child["output"], child["latency"]) == (step, "Rain.", 0.25)
        (inner,) = child["children_logs"]
        assert (inner["trace_id"], inner["trace_name"], inner["output"]) == (made["trace_id"], "llm", "Rain.")
        assert (inner["tags"], inner["metadata"], inner["depth"]) == (["t"], {"who": '"ann"'}, 2)
        assert inner["configuration"]["model"] == "gpt-test"
        assert {root, step, made["trace_id"]} <= {each["id"] for each in api.get("/v1/traces").json()["traces"]}

    def test_an_update_changes_what_it_names(self, api: httpx2.Client) -> None:
        mine = str(uuid.uuid4())
        api.post(f"{BASE}/trace_log", json=log(mine, output="one", tags=["a"], error="e", status="error"))
        told = {"output": "two", "error": None, "status": "success", "scores": [{"name": "tone", "score": 0.5}]}
        assert api.put(f"{BASE}/trace_log", json={"trace_id": mine, "field_name_to_value_map": told}).json() is None
        found = api.get(f"{BASE}/trace_log/{mine}").json()
        assert (found["output"], found["tags"], found["status"]) == ("two", ["a"], "success")
        assert "error" not in found
        assert [(each["name"], each["score"]) for each in found["scores"]] == [("tone", 0.5)]

    @pytest.mark.parametrize(
        ("told", "loc"),
        [
            ({"nonsense": 1}, ("field_name_to_value_map",)),
            ({"output": 7}, ("output",)),
            ({"start_timestamp": "yesterday"}, ("start_timestamp",)),
            ({"start_timestamp": None}, ("start_timestamp",)),
            ({"evaluation_metric_names": ["x"]}, ("evaluation_metric_names",)),
        ],
    )
    def test_an_update_that_cannot_be(self, api: httpx2.Client, told: dict[str, Any], loc: tuple[str, ...]) -> None:
        mine = str(uuid.uuid4())
        api.post(f"{BASE}/trace_log", json=log(mine))
        changed = api.put(f"{BASE}/trace_log", json={"trace_id": mine, "field_name_to_value_map": told})
        assert fault(changed, 422, *loc)

    def test_what_a_completion_did_stays(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.script(say("Rain."))
        made = api.post(COMPLETION, json=body()).json()["trace_id"]
        refused = {"trace_id": made, "field_name_to_value_map": {"output": "Sun."}}
        assert "answer" in fault(api.put(f"{BASE}/trace_log", json=refused), 422, "trace_id")
        allowed = {"trace_id": made, "field_name_to_value_map": {"tags": ["seen"], "target": "Rain."}}
        assert api.put(f"{BASE}/trace_log", json=allowed).status_code == 200
        found = api.get(f"{BASE}/trace_log/{made}").json()
        assert (found["output"], found["tags"], found["target"]) == ("Rain.", ["seen"], "Rain.")

    def test_a_tree_outside_the_sample_leaves_nothing(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        root = str(uuid.uuid4())
        model_server.script(say("Rain."))
        inside = api.post(COMPLETION, json=body(parent_trace_id=root, root_trace_id=root)).json()["trace_id"]
        assert api.get(f"{BASE}/trace_log/{inside}").status_code == 200
        api.post(f"{BASE}/trace_log", json=log(root, log_sample_rate=0.0))
        for gone in (root, inside):
            assert fault(api.get(f"{BASE}/trace_log/{gone}"), 404)
        assert fault(api.post(f"{BASE}/feedback", json={"trace_id": root, "score": 1}), 404)

    def test_pages_and_conditions(self, api: httpx2.Client) -> None:
        name = f"project {uuid.uuid4()}"
        project = api.post(f"{BASE}/project", json={"name": name}).json()
        assert project["was_created"]
        assert api.post(f"{BASE}/project", json={"name": name}).json() == {**project, "was_created": False}
        ids = [str(uuid.uuid4()) for _ in range(5)]
        for number, each in enumerate(ids):
            when = f"2026-07-24T18:05:1{number}+00:00"
            written = log(
                each, start_timestamp=when, project_uuid=project["uuid"], cost=float(number), tags=[f"t{number}"]
            )
            api.post(f"{BASE}/trace_log", json=written)
        api.post(
            f"{BASE}/trace_log",
            json=log(
                "part", parent_trace_id=ids[0], root_trace_id=ids[0], project_uuid=project["uuid"], tags=["inner"]
            ),
        )

        def search(**more: Any) -> Any:
            found = api.post(f"{BASE}/get_trace_logs", json={"project_name": name, **more})
            assert found.status_code == 200, found.text
            return found.json()

        first = search(page_size=2)
        assert {key: first[key] for key in ("total", "page", "total_pages", "page_size")} == {
            "total": 5,
            "page": 1,
            "total_pages": 3,
            "page_size": 2,
        }
        paged = [each["trace_id"] for page in (1, 2, 3) for each in search(page_size=2, page=page)["results"]]
        assert paged == ids[::-1]
        assert [child["trace_id"] for child in search(page=1)["results"][-1]["children_logs"]] == ["part"]
        dear = search(filter_field="cost", filter_operator="greater_than", filter_value="2.5")
        assert [each["trace_id"] for each in dear["results"]] == [ids[4], ids[3]]
        assert [each["trace_id"] for each in search(filter_field="tags", filter_value="inner")["results"]] == ["part"]
        assert search(time_range="1h")["total"] == 0
        assert search(status="error")["total"] == 0

    @pytest.mark.parametrize(
        ("asked", "loc"),
        [
            ({"filter_field": "nonsense", "filter_value": "x"}, "filter_field"),
            ({"filter_field": "cost", "filter_value": "dear"}, "filter_value"),
            ({"filter_field": "cost"}, "filter_value"),
            ({"filter_field": "metadata", "filter_value": "x"}, "filter_key"),
            ({"filter_field": "metadata", "filter_key": 'a"b', "filter_value": "x"}, "filter_key"),
            ({"filter_field": "cost", "filter_operator": "resembles", "filter_value": "1"}, "filter_operator"),
            ({"filter_value": "x"}, "filter_value"),
            ({"time_range": "2h"}, "time_range"),
            ({"status": "odd"}, "status"),
            ({"page_size": 10**6}, "page_size"),
            ({"page": 0}, "page"),
        ],
    )
    def test_a_search_that_cannot_be(self, api: httpx2.Client, asked: dict[str, Any], loc: str) -> None:
        assert fault(api.post(f"{BASE}/get_trace_logs", json={"project_name": "default", **asked}), 422, loc)

    def test_feedback_stands_in_the_log(self, api: httpx2.Client) -> None:
        mine = str(uuid.uuid4())
        api.post(f"{BASE}/trace_log", json=log(mine))
        kept = api.post(f"{BASE}/feedback", json={"trace_id": mine, "score": 0.25, "name": "tone", "target": "Yes."})
        assert (kept.json()["score"], kept.json()["target"]) == (0.25, "Yes.")
        assert api.get(f"{BASE}/trace_log/{mine}").json()["feedback_score"] == 0.25
        assert fault(api.post(f"{BASE}/feedback", json={"trace_id": mine, "score": 1.5}), 422, "score")
        assert fault(api.post(f"{BASE}/feedback", json={"score": 1}), 422, "trace_id")

    def test_a_strangers_logs_are_not_there(
        self, api: httpx2.Client, stranger: httpx2.Client, reader: httpx2.Client
    ) -> None:
        mine = str(uuid.uuid4())
        api.post(f"{BASE}/trace_log", json=log(mine, trace_name="mine"))
        assert fault(stranger.get(f"{BASE}/trace_log/{mine}"), 404)
        assert fault(stranger.post(f"{BASE}/feedback", json={"trace_id": mine, "score": 1}), 404)
        update = {"trace_id": mine, "field_name_to_value_map": {"trace_name": "theirs"}}
        assert fault(stranger.put(f"{BASE}/trace_log", json=update), 404)
        stranger.post(f"{BASE}/trace_log", json=log(mine, log_sample_rate=0.0))
        assert api.get(f"{BASE}/trace_log/{mine}").json()["trace_name"] == "mine"
        assert fault(reader.post(f"{BASE}/trace_log", json=log(mine)), 403)

    def test_a_run_of_langchain_with_the_runs_inside_it(self, api: httpx2.Client) -> None:
        top, model = str(uuid.uuid4()), str(uuid.uuid4())
        times = {"start_time": "2026-07-24T18:05:17", "end_time": "2026-07-24T18:05:19"}
        llm_run: dict[str, Any] = {
            "id": model,
            "name": "FakeChat",
            "run_type": "llm",
            "parent_run_id": top,
            "inputs": {"prompts": ["Hi"]},
            "outputs": {"generations": [[{"text": "Hello"}]], "llm_output": {"token_usage": {"prompt_tokens": 2}}},
            **times,
        }
        run: dict[str, Any] = {
            "id": top,
            "name": "Chain",
            "run_type": "chain",
            "inputs": {},
            "outputs": {"output": "Hello"},
            **times,
        }
        run |= {"child_runs": [llm_run], "_tags": ["lc"], "_end_user_identifier": "ann", "project_uuid": "default"}
        assert api.post(f"{BASE}/trace_log/langchain", json=run).status_code == 200
        found = api.get(f"{BASE}/trace_log/{top}").json()
        assert (found["output"], found["latency"], found["tags"]) == ("Hello", 2.0, ["lc"])
        (inner,) = found["children_logs"]
        assert (inner["trace_name"], inner["output"], inner["input_tokens"]) == ("FakeChat", "Hello", 2)
        assert fault(api.post(f"{BASE}/trace_log/nobody", json=run), 404)
