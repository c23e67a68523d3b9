"""Experiments and datasets by plain HTTP: what Parea's SDK sends, what is refused, and what Footnote's page reads."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from app.core.metrics.registry import METRICS
from tests.api.library import QUESTION, Library
from tests.doubles.service import ADMIN_KEY, RunningService

PREFIX = "/api/parea/v1"


@pytest.fixture(scope="module")
def parea(service: RunningService) -> Iterator[httpx2.Client]:
    """With the key as Parea's SDK sends it."""
    with service.client(None, {"x-api-key": ADMIN_KEY}) as client:
        client.base_url = f"{service.url}{PREFIX}"
        yield client


def ok(answer: httpx2.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def new_name() -> str:
    return f"n-{uuid.uuid4()}"


@pytest.fixture
def experiment(parea: httpx2.Client) -> dict[str, Any]:
    made: dict[str, Any] = ok(
        parea.post("/experiment", json={"name": "Lending", "run_name": new_name(), "metadata": {"model": "m"}})
    )
    return made


def ask(parea: httpx2.Client, library: Library, **more: Any) -> dict[str, Any]:
    body = {
        "llm_configuration": {"messages": [{"role": "user", "content": QUESTION}]},
        "repositories": {"ids": [library.repository]},
        "cache": False,
        **more,
    }
    answer: dict[str, Any] = ok(parea.post("/completion", json=body))
    return answer


def test_metrics_are_listed(api: httpx2.Client, nobody: httpx2.Client) -> None:
    listed = ok(api.get("/v1/metrics"))["metrics"]
    assert [each["id"] for each in listed] == list(METRICS)
    grounded = next(each for each in listed if each["name"] == "groundedness")
    assert (grounded["id"], grounded["unit"], grounded["lowest"], grounded["highest"]) == (4, "share", 0, 1)
    assert next(each for each in listed if each["name"] == "latency")["highest"] is None
    assert nobody.get("/v1/metrics").status_code == 401


def test_an_answers_scores_are_its_traces_and_its_experiments(
    parea: httpx2.Client, api: httpx2.Client, library: Library, experiment: dict[str, Any]
) -> None:
    target = "members who hold a safety certificate"
    answer = ask(parea, library, experiment_uuid=experiment["uuid"], eval_metric_ids=list(METRICS), target=target)
    (sample,) = ok(parea.get(f"/experiment/{experiment['uuid']}/stats"))["parent_trace_stats"]
    scores = {score["name"]: score["score"] for score in sample["scores"]}
    assert sample["trace_id"] == answer["inference_id"]
    assert sample["total_tokens"] == answer["total_tokens"]
    assert scores["groundedness"] == scores["citation_recall"] == scores["context_hit"] == 1
    assert scores["exact_match"] == 0
    assert all(score["id"] in METRICS and score["reason"] for score in sample["scores"])
    logged = ok(parea.get(f"/trace_log/{answer['inference_id']}"))
    assert {score["name"]: score["score"] for score in logged["scores"]} == scores
    (tree,) = ok(parea.post(f"/experiment/{experiment['uuid']}/trace_logs", json={}))
    assert tree["trace_id"] == answer["inference_id"]
    ours = ok(api.get(f"/v1/experiments/{experiment['uuid']}"))
    assert ours["sample_count"] == 1
    means = {each["name"]: each["mean"] for each in ours["statistics"]}
    assert means["context_hit"] == 1
    assert means["latency"] == scores["latency"]
    assert ours["samples"][0]["id"] == answer["inference_id"]


def test_scores_without_a_number_are_kept_but_not_shown_to_clients(
    parea: httpx2.Client, api: httpx2.Client, library: Library, experiment: dict[str, Any]
) -> None:
    answer = ask(parea, library, experiment_uuid=experiment["uuid"], eval_metric_ids=[1, 10])  # without a target
    (sample,) = ok(parea.get(f"/experiment/{experiment['uuid']}/stats"))["parent_trace_stats"]
    assert [score["name"] for score in sample["scores"]] == ["latency"]
    assert [score["name"] for score in ok(parea.get(f"/trace_log/{answer['inference_id']}"))["scores"]] == ["latency"]
    kept = {score["name"]: score for score in ok(api.get(f"/v1/traces/{answer['inference_id']}"))["scores"]}
    assert kept["exact_match"] == {"id": 1, "name": "exact_match", "score": None, "reason": "No target was given."}
    assert kept["latency"]["score"] == sample["scores"][0]["score"]


def test_what_no_metric_is_called_is_refused_before_anything_is_asked(parea: httpx2.Client, library: Library) -> None:
    body = {"llm_configuration": {"messages": [{"role": "user", "content": QUESTION}]}, "eval_metric_ids": [4, 99]}
    refused = parea.post("/completion", json=body)
    assert refused.status_code == 422
    (fault,) = refused.json()["detail"]
    assert fault["loc"] == ["body", "eval_metric_ids"]
    assert "99" in fault["msg"]


def test_a_tree_of_logs_is_one_sample(parea: httpx2.Client, library: Library, experiment: dict[str, Any]) -> None:
    root = str(uuid.uuid4())
    shared = {"experiment_uuid": experiment["uuid"], "root_trace_id": root}
    answer = ask(parea, library, parent_trace_id=root, eval_metric_ids=[4], **shared)
    log = {
        "trace_id": root,
        "parent_trace_id": root,
        "start_timestamp": "2026-07-24T18:05:17+00:00",
        "latency": 12.5,
        "scores": [{"name": "polite", "score": 0.25, "reason": "hm"}],
        **shared,
    }
    parea.post("/trace_log", json=log).raise_for_status()
    (sample,) = ok(parea.get(f"/experiment/{experiment['uuid']}/stats"))["parent_trace_stats"]
    assert (sample["trace_id"], sample["latency"]) == (root, 12.5)
    assert sample["total_tokens"] == answer["total_tokens"] > 0
    assert {score["name"] for score in sample["scores"]} == {"polite", "groundedness"}
    (tree,) = ok(parea.post(f"/experiment/{experiment['uuid']}/trace_logs", json={}))
    assert [child["trace_id"] for child in tree["children_logs"]] == [answer["inference_id"]]
    condition = {"filter_field": "trace_id", "filter_operator": "equals", "filter_value": answer["inference_id"]}
    (found,) = ok(parea.post(f"/experiment/{experiment['uuid']}/trace_logs", json=condition))
    assert found["trace_id"] == answer["inference_id"]


def test_an_experiment_ends_with_the_scores_of_the_whole_run(
    parea: httpx2.Client, api: httpx2.Client, experiment: dict[str, Any]
) -> None:
    score = {"name": "balanced_acc", "score": 0.75, "reason": None}
    ended = parea.post(
        f"/experiment/{experiment['uuid']}/finished", json={"status": "completed", "dataset_level_stats": [score]}
    )
    assert ok(ended) == {"parent_trace_stats": []}
    (listed,) = ok(parea.post("/experiments", json={"experiment_uuids": [experiment["uuid"]]}))
    assert (listed["status"], listed["num_samples"], listed["is_public"]) == ("completed", 0, False)
    assert listed["pinned_stats"] == [{"var1": "balanced_acc", "operation": "custom", "value": 0.75, "var2": None}]
    ours = ok(api.get(f"/v1/experiments/{experiment['uuid']}"))
    assert ours["dataset_stats"] == [score]
    assert ours["finished_at"] >= ours["created_at"]


def test_a_list_has_the_statistics_of_its_samples(
    parea: httpx2.Client, library: Library, experiment: dict[str, Any]
) -> None:
    ask(parea, library, experiment_uuid=experiment["uuid"], eval_metric_ids=[4])
    ok(parea.get(f"/experiment/{experiment['uuid']}/stats"))
    (listed,) = ok(parea.post("/experiments", json={"experiment_uuids": [experiment["uuid"]]}))
    assert listed["num_samples"] == 1
    pinned = {(each["var1"], each["operation"]): each["value"] for each in listed["pinned_stats"]}
    assert pinned["groundedness", "mean"] == pinned["groundedness", "max"] == 1
    assert pinned["groundedness", "standard_deviation"] == 0
    assert pinned["latency", "min"] > 0


def test_experiments_are_listed_by_project_name_run_and_metadata(parea: httpx2.Client) -> None:
    project = ok(parea.post("/project", json={"name": new_name()}))
    made = [
        ok(
            parea.post(
                "/experiment",
                json={
                    "name": "Listed",
                    "run_name": new_name(),
                    "metadata": {"n": n},
                    "project_uuid": project["uuid"],
                },
            )
        )
        for n in range(3)
    ]

    def listed(**wanted: Any) -> list[str]:
        found = ok(parea.post("/experiments", json={"project_name": project["name"], **wanted}))
        return [each["uuid"] for each in found]

    newest = [each["uuid"] for each in reversed(made)]
    assert listed() == newest
    assert listed(experiment_name_filter="Listed") == newest
    assert listed(experiment_name_filter="Other") == []
    assert listed(metadata_filter={"n": 1}) == listed(metadata_filter={"n": "1"}) == [made[1]["uuid"]]
    assert listed(project_name=new_name()) == []
    (one,) = ok(parea.post("/experiments", json={"experiment_uuids": [made[0]["uuid"]]}))
    assert listed(run_name_filter=one["run_name"]) == [made[0]["uuid"]]
    assert one["project_uuid"] == project["uuid"]
    assert one["metadata"] == {"n": "0"}


def test_a_run_name_that_is_taken_is_a_400_with_a_sentence(parea: httpx2.Client) -> None:
    body = {"name": "Lending", "run_name": new_name(), "metadata": None, "project_uuid": "default"}
    ok(parea.post("/experiment", json=body))
    refused = parea.post("/experiment", json=body)
    assert refused.status_code == 400
    assert body["run_name"] in refused.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/experiment", {"name": "a"}, 422),
        ("POST", "/experiment", {"name": "", "run_name": "b"}, 422),
        ("POST", "/experiment", {"name": "a", "run_name": "b", "project_uuid": "no-such"}, 404),
        ("POST", "/experiment", {"name": "x" * 501, "run_name": "b"}, 422),
        ("GET", "/experiment/no-such/stats", None, 404),
        ("POST", "/experiment/no-such/finished", {"status": "completed"}, 404),
        ("POST", "/experiment/no-such/finished", {"status": "exploded"}, 422),
        (
            "POST",
            "/experiment/no-such/finished",
            {"status": "failed", "dataset_level_stats": [{"name": "a", "score": "much"}]},
            422,
        ),
        ("POST", "/experiment/no-such/trace_logs", {}, 404),
        ("POST", "/experiments", {"experiment_uuids": "all"}, 422),
        ("POST", "/collection", {"test_cases": []}, 422),
        ("POST", "/collection", {"name": "a", "id": 7}, 422),
        ("POST", "/collection", {"name": "a", "column_names": ["q"], "test_cases": [{"inputs": {"p": "x"}}]}, 422),
        ("POST", "/collection", {"name": "a", "test_cases": [{"inputs": "x"}]}, 422),
        ("POST", "/testcases", {"test_cases": []}, 422),
        ("POST", "/testcases", {"id": 1, "name": "a", "test_cases": []}, 422),
        ("POST", "/testcases", {"name": "no such dataset", "test_cases": []}, 404),
        ("POST", "/testcases", {"id": 10**12, "test_cases": []}, 404),
        ("POST", "/update_test_case/1/99999", {"target": "x"}, 404),
        ("POST", "/update_test_case/x/1", {"target": "x"}, 422),
        ("POST", "/update_test_case/1/1", {"tags": "x"}, 422),
    ],
)
def test_bad_requests_are_told_in_fastapis_form(
    parea: httpx2.Client, method: str, path: str, body: Any, status: int
) -> None:
    refused = parea.request(method, path, json=body)
    assert refused.status_code == status, refused.text
    detail = refused.json()["detail"]
    assert detail[0]["msg"] if status == 422 else isinstance(detail, str)


def test_a_dataset_is_made_filled_changed_and_read(parea: httpx2.Client, api: httpx2.Client) -> None:
    name = new_name()
    case = {"inputs": {"question": QUESTION, "n": 5}, "target": "members", "tags": ["tools"]}
    made = ok(parea.post("/collection", json={"id": None, "name": name, "column_names": ["question", "n"]}))
    assert (made["name"], made["column_names"], made["num_test_cases"]) == (name, ["question", "n"], 0)
    ok(parea.post("/testcases", json={"id": None, "name": name, "test_cases": [case]}))
    grown = ok(parea.post("/testcases", json={"id": made["id"], "test_cases": [{"inputs": {"n": "6"}}]}))
    assert grown["num_test_cases"] == 2
    filled = ok(parea.get(f"/collection/{name}"))
    first, second = filled["test_cases"].values()
    assert first["inputs"] == {"question": QUESTION, "n": "5"}
    assert (first["target"], first["tags"], first["test_case_collection_id"]) == ("members", ["tools"], made["id"])
    assert second["inputs"] == {"n": "6"}
    assert list(filled["test_cases"]) == [str(first["id"]), str(second["id"])]
    path = f"/update_test_case/{made['id']}/{second['id']}"
    changed = ok(parea.post(path, json={"inputs": {"question": "?"}, "target": 7, "tags": None}))
    assert (changed["inputs"], changed["target"], changed["tags"]) == ({"question": "?", "n": "6"}, "7", [])
    assert ok(parea.get(f"/collection/{made['id']}"))["test_cases"][str(second["id"])] == changed
    assert ok(parea.get(f"/collection/{new_name()}")) is None
    assert ok(parea.get(f"/collection/{10**20}")) is None
    ours = ok(api.get(f"/v1/datasets/{made['id']}"))
    assert [each["id"] for each in ours["cases"]] == [first["id"], second["id"]]
    assert ours["case_count"] == 2
    page = ok(api.get("/v1/datasets", params={"limit": 1, "after": made["id"] - 1}))
    assert ([each["id"] for each in page["datasets"]], page["next_after"]) == ([made["id"]], made["id"])


@pytest.mark.parametrize("odd", ["\\ud800", "\\u0000", "\\udfff\\ud800", "\\uffff"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/collection", '{"name": "NAME", "test_cases": [{"inputs": {"q": "ODD"}, "target": "x"}]}'),
        ("/collection", '{"name": "NAME", "test_cases": [{"inputs": {"ODD": "q"}}]}'),
        ("/collection", '{"name": "NAME", "test_cases": [{"inputs": {"q": "x"}, "target": "ODD"}]}'),
        ("/collection", '{"name": "NAME ODD", "test_cases": [{"inputs": {"q": "x"}, "tags": ["ODD"]}]}'),
        ("/experiment", '{"name": "NAME", "run_name": "ODD", "metadata": {"ODD": "x", "y": "ODD"}}'),
        ("/experiments", '{"metadata_filter": {"ODD": "ODD"}, "experiment_uuids": ["ODD"]}'),
        ("/testcases", '{"name": "ODD", "test_cases": []}'),
    ],
)
def test_no_character_breaks_anything(parea: httpx2.Client, path: str, body: str, odd: str) -> None:
    written = body.replace("ODD", odd).replace("NAME", new_name())
    answer = parea.post(path, content=written, headers={"content-type": "application/json"})
    assert answer.status_code in (200, 404, 422), answer.text
    if path == "/collection" and answer.status_code == 200:
        ok(parea.get(f"/collection/{answer.json()['id']}"))


def test_a_name_may_have_slashes_and_look_like_a_number(parea: httpx2.Client) -> None:
    for name in (f"a/{new_name()}", str(uuid.uuid4().int)[:9]):
        ok(parea.post("/collection", json={"name": name, "test_cases": [{"inputs": {"q": "x"}}]}))
        found = ok(parea.get(f"/collection/{name}"))
        assert (found["name"], found["column_names"]) == (name, ["q"])


def test_experiments_page_without_loss(parea: httpx2.Client, api: httpx2.Client) -> None:
    name = new_name()
    made = [ok(parea.post("/experiment", json={"name": name, "run_name": f"{n}"}))["uuid"] for n in range(3)]
    first = ok(api.get("/v1/experiments", params={"name": name, "limit": 2}))
    rest = ok(api.get("/v1/experiments", params={"name": name, "limit": 2, "before": first["next_before"]}))
    assert [each["id"] for each in (*first["experiments"], *rest["experiments"])] == made[::-1]
    assert rest["next_before"] is None


def test_others_see_and_change_nothing(
    stranger: httpx2.Client, parea: httpx2.Client, reader: httpx2.Client, experiment: dict[str, Any]
) -> None:
    name = new_name()
    made = ok(parea.post("/collection", json={"name": name, "test_cases": [{"inputs": {"q": "x"}}]}))
    (case,) = ok(parea.get(f"/collection/{name}"))["test_cases"]
    assert ok(stranger.get(f"{PREFIX}/collection/{name}")) is None
    assert ok(stranger.get(f"{PREFIX}/collection/{made['id']}")) is None
    attempts = {
        f"/update_test_case/{made['id']}/{case}": {"target": "stolen"},
        f"/experiment/{experiment['uuid']}/finished": {"status": "failed"},
        f"/experiment/{experiment['uuid']}/trace_logs": {},
        "/testcases": {"id": made["id"], "test_cases": []},
    }
    for path, body in attempts.items():
        assert stranger.post(f"{PREFIX}{path}", json=body).status_code == 404
    for path in (f"/v1/experiments/{experiment['uuid']}", f"/v1/datasets/{made['id']}"):
        assert stranger.get(path).status_code == 404
    assert ok(stranger.post(f"{PREFIX}/experiments", json={})) == []
    assert ok(stranger.get("/v1/datasets"))["datasets"] == []
    assert reader.post(f"{PREFIX}/collection", json={"name": new_name()}).status_code == 403
    assert reader.post(f"{PREFIX}/experiment", json={"name": "a", "run_name": "b"}).status_code == 403
    assert ok(reader.get(f"{PREFIX}/collection/{name}"))["id"] == made["id"]
