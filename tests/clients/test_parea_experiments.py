"""parea-ai makes a dataset, runs experiments over it and reads their figures, trees and scores."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.clients.corpus import ANSWER
from tests.clients.service_process import Service
from tests.clients.vendor_process import python_command, run_once

pytestmark = pytest.mark.peer
NAME = f"day-{uuid.uuid4()}"


@pytest.fixture(scope="module")
def day(service: Service, repository_id: int) -> dict[str, Any]:
    """What the client returned at each step; its experiments take it four seconds each."""
    outcome: dict[str, Any] = json.loads(
        run_once(python_command("parea", "parea_experiments.py"), service.url, service.key, NAME)
    )
    return outcome


def test_a_dataset_is_made_and_changed(day: dict[str, Any]) -> None:
    made, changed = day["collection"], day["changed"]
    assert (made["name"], made["column_names"]) == (NAME, ["question"])
    first, second = made["test_cases"].values()
    assert first["inputs"] == {"question": "?"}
    assert (first["target"], first["tags"]) == (ANSWER, ["dog"])
    assert second["test_case_collection_id"] == made["id"]
    again, same = changed["test_cases"].values()
    assert again == {**first, "inputs": second["inputs"], "tags": ["dog", "night"]}
    assert same == second
    assert day["unknown"] is None


def test_experiments_have_the_scores_of_the_client_and_of_the_service(day: dict[str, Any]) -> None:
    listed, stored = day["averages"]
    assert listed == {"names_the_place": 0.5, "groundedness": 1.0, "context_hit": 1.0, "exact_match": 0.0}
    assert stored == {**listed, "names_the_place": 1.0}
    over_list, over_dataset = (stats["parent_trace_stats"] for stats in day["stats"])
    assert len(over_list) == 2
    assert len(over_dataset) == 4  # two test cases, twice
    for sample in (*over_list, *over_dataset):
        assert sample["latency"] > 0
        assert sample["total_tokens"] == sample["input_tokens"] + sample["output_tokens"] > 0
        assert sample["cost"] is not None


def test_experiments_are_found(day: dict[str, Any]) -> None:
    listed, stored = day["uuids"]
    assert [each["uuid"] for each in day["found"]] == [stored, listed]
    assert day["by_metadata"] == [stored]
    one = day["one"]
    assert (one["name"], one["run_name"], one["status"]) == (f"{NAME}-list", "first", "completed")
    assert (one["metadata"], one["num_samples"]) == ({"kind": "list"}, 2)
    pinned = {(each["var1"], each["operation"]): each["value"] for each in one["pinned_stats"]}
    assert pinned["names_the_place", "mean"] == 0.5
    assert pinned["names_the_place", "standard_deviation"] == 0.5
    assert pinned["long_answers", "custom"] == 1.0


def test_trees_hold_the_completion_in_the_clients_own_trace(day: dict[str, Any]) -> None:
    assert len(day["trees"]) == 2
    for tree in day["trees"]:
        assert tree["trace_name"] == "ask"
        (completion,) = [each for each in tree["children_logs"] if each["trace_name"] == "llm-footnote"]
        assert completion["trace_id"] in day["parts"]
        assert ANSWER in completion["output"]
        assert {each["name"] for each in completion["scores"]} == {"groundedness", "context_hit", "exact_match"}
        assert all(each["reason"] for each in completion["scores"])
    assert len(day["parts"]) == 2
    assert {each["name"] for each in day["scores"]} == {
        "names_the_place",
        "groundedness",
        "context_hit",
        "exact_match",
    }
