"""A team's day with parea-ai: a dataset is made and changed, experiments run over it, their figures are read.

    python parea_experiments.py URL KEY NAME

Prints one line of JSON: what the client returned at each step. NAME makes its names unlike any other run's.
"""

import contextlib
import json
import os
import sys

url, key, name = sys.argv[1:]
os.environ["PAREA_BASE_URL"] = f"{url}/api/parea/v1"  # read when parea is imported

from attrs import asdict, define  # noqa: E402
from parea import Parea, trace  # noqa: E402
from parea.schemas import (  # noqa: E402
    Completion,
    EvaluationResult,
    ListExperimentUUIDsFilters,
    LLMInputs,
    Message,
    TraceLogFilters,
    UpdateTestCase,
)

GROUNDEDNESS, CONTEXT_HIT, EXACT_MATCH = 4, 7, 1


@define
class ScoredCompletion(Completion):
    """The documented field that the SDK's own class lacks."""

    eval_metric_ids: list[int] | None = None


def names_the_place(log):
    """1 if the answer says what should be said."""
    return float(log.target in log.output)


def share_of_long_answers(logs):
    return EvaluationResult(name="long_answers", score=sum(len(log.output) > 10 for log in logs) / len(logs))


def main():
    p = Parea(api_key=key, project_name=name)

    @trace(eval_funcs=[names_the_place])
    def ask(question):
        asked = ScoredCompletion(
            llm_configuration=LLMInputs(model="extractive", provider="footnote", messages=[Message(content=question)]),
            target="under the front stairs",
            eval_metric_ids=[GROUNDEDNESS, CONTEXT_HIT, EXACT_MATCH],
            cache=False,
        )
        return p.completion(asked).content

    question = "Where does Sparky charge its battery at night?"
    p.create_test_collection([{"question": "?", "target": "under the front stairs", "tags": ["dog"]}], name=name)
    p.add_test_cases([{"question": question, "target": "under the front stairs"}], name=name)
    made = p.get_collection(name)
    first = made.testcases[0]
    p.update_test_case(made.id, first.id, UpdateTestCase(inputs={"question": question}, tags=["dog", "night"]))
    changed = p.get_collection(made.id)

    listed = p.experiment(
        name=f"{name}-list",
        data=[{"question": question, "target": "under the front stairs"}, {"question": question, "target": "on Mars"}],
        func=ask,
        metadata={"kind": "list"},
        dataset_level_evals=[share_of_long_answers],
        n_workers=2,
    )
    listed.run("first")
    stored = p.experiment(name=f"{name}-stored", data=name, func=ask, n_trials=2)
    stored.run()

    found = p.list_experiments(ListExperimentUUIDsFilters(project_name=name))
    by_metadata = p.list_experiments(ListExperimentUUIDsFilters(metadata_filter={"Dataset": name}))
    trees = p.get_experiment_trace_logs(listed.experiment_uuid)
    parts = p.get_experiment_trace_logs(
        listed.experiment_uuid,
        TraceLogFilters(filter_field="trace_name", filter_operator="equals", filter_value="llm-footnote"),
    )
    return {
        "collection": asdict(made),
        "changed": asdict(changed),
        "unknown": p.get_collection(f"{name}-unknown"),
        "uuids": [listed.experiment_uuid, stored.experiment_uuid],
        "averages": [listed.avg_scores, stored.avg_scores],
        "stats": [asdict(p.get_experiment_stats(each.experiment_uuid)) for each in (listed, stored)],
        "found": [asdict(each) for each in found],
        "by_metadata": [each.uuid for each in by_metadata],
        "one": asdict(p.get_experiment(listed.experiment_uuid)),
        "trees": [asdict(each) for each in trees],
        "parts": [each.trace_id for each in parts],
        "scores": [asdict(each) for each in p.get_trace_log_scores(trees[0].trace_id, check_context=False)],
    }


with contextlib.redirect_stdout(sys.stderr):  # the SDK talks
    outcome = main()
print(json.dumps(outcome))
