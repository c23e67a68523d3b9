"""GraphQL: the chatbot's documented requests word for word, todos, a view of the library, and what is refused."""

from __future__ import annotations

import time
from typing import Any

import httpx2
import pytest

from tests.api.graphql_client import ask, data, refusal
from tests.api.library import QUESTION, Library
from tests.api.refusals import assert_error, assert_needs_key
from tests.doubles.service import RunningService

DOCUMENTED_QUERY = "query {\ntodos {\nid\ntitle\ncompleted\ncreatedAt\n}\n}"
DOCUMENTED_MUTATION = 'mutation {\ncreateTodo(title: "Test Todo") {\nid\ntitle\ncompleted\ncreatedAt\n}\n}'
CREATE = "mutation ($data: CreateTodoInput!) { createTodo(data: $data) { id title weight dueDate parentId tags } }"
UPDATE = "mutation ($data: UpdateTodoInput!) { updateTodo(data: $data) { id title completed dueDate parentId tags } }"
TOGGLE = "mutation ($id: Int!) { toggleTodo(id: $id) { id completed completedAt } }"
DELETE = "mutation ($id: Int!) { deleteTodo(id: $id) }"
TODO = "query ($id: Int!) { todo(id: $id) { id title children } }"


def create(client: httpx2.Client, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = data(client, CREATE, data=fields)["createTodo"]
    return made


class TestTheDocumentedRequests:
    def test_work_word_for_word(self, api: httpx2.Client) -> None:
        made = api.post("/graphql", json={"query": DOCUMENTED_MUTATION}).json()["data"]["createTodo"]
        assert made.keys() == {"id", "title", "completed", "createdAt"}
        assert (made["title"], made["completed"]) == ("Test Todo", False)
        listed = api.post("/graphql", json={"query": DOCUMENTED_QUERY}).json()["data"]["todos"]
        assert made in listed

    def test_the_printed_header_without_its_space_is_refused(self, nobody: httpx2.Client) -> None:
        wrong = nobody.post(
            "/graphql", json={"query": DOCUMENTED_QUERY}, headers={"authorization": "beareryour_api_key_here"}
        )
        assert_error(wrong, 401, says="Authorization: Bearer")

    def test_a_key_is_needed(self, nobody: httpx2.Client) -> None:
        assert_needs_key(nobody, "POST", "/graphql", json={"query": "{ hello }"})

    def test_the_original_shapes_work(self, api: httpx2.Client) -> None:
        made = create(
            api, title="Write the manual", weight=5, dueDate="2030-01-02T03:04:05+00:00", tags=["docs", "docs"]
        )
        assert made["dueDate"] == "2030-01-02T03:04:05+00:00"
        assert (made["weight"], made["tags"]) == (5, ["docs"])
        assert data(api, TOGGLE, id=made["id"])["toggleTodo"]["completed"]
        changed = data(api, UPDATE, data={"id": made["id"], "title": "Read it", "dueDate": None})["updateTodo"]
        assert (changed["title"], changed["completed"], changed["dueDate"], changed["tags"]) == (
            "Read it", True, None, ["docs"],
        )  # fmt: skip
        assert data(api, DELETE, id=made["id"]) == {"deleteTodo": True}
        assert refusal(api, TODO, id=made["id"])["extensions"] == {"code": "not_found", "field": "id"}


class TestTodos:
    def test_children_are_ids_below_their_parent(self, api: httpx2.Client) -> None:
        parent = create(api, title="parent")["id"]
        children = [create(api, title="child", parentId=parent)["id"] for _ in range(3)]
        assert data(api, TODO, id=parent)["todo"]["children"] == children
        assert refusal(api, UPDATE, data={"id": parent, "parentId": children[0]})["extensions"]["field"] == "parentId"

    def test_lists_filter_and_page(self, api: httpx2.Client) -> None:
        ids = [create(api, title="paged")["id"] for _ in range(4)]
        data(api, TOGGLE, id=ids[0])
        query = "query ($done: Boolean, $skip: Int!) { todos(completed: $done, first: 500, skip: $skip) { id } }"
        open_ids = [each["id"] for each in data(api, query, done=False, skip=0)["todos"]]
        assert ids[0] not in open_ids
        assert set(ids[1:]) <= set(open_ids)
        assert [each["id"] for each in data(api, query, done=False, skip=2)["todos"]] == open_ids[2:]
        assert ids[0] in [each["id"] for each in data(api, query, done=True, skip=0)["todos"]]

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            ("", "title"),
            ('title: "a", data: {title: "b"}', "title"),
            ('title: "  "', "title"),
            ('data: {title: "x", tags: [""]}', "tags"),
            ('data: {title: "x", parentId: 999999}', "parentId"),
        ],
    )
    def test_what_cannot_be_written_is_named(self, api: httpx2.Client, arguments: str, field: str) -> None:
        before = data(api, "{ todos(first: 500) { id } }")
        call = f"createTodo({arguments})" if arguments else "createTodo"
        error = refusal(api, f"mutation {{ {call} {{ id }} }}")
        assert error["extensions"]["field"] == field
        assert data(api, "{ todos(first: 500) { id } }") == before

    def test_null_where_nothing_can_be_null_is_named(self, api: httpx2.Client) -> None:
        made = create(api, title="x")["id"]
        for name in ("title", "completed", "weight", "tags"):
            assert refusal(api, UPDATE, data={"id": made, name: None})["extensions"]["field"] == name

    @pytest.mark.parametrize("field", ["todos(first: 0)", "todos(first: 501)", "todos(skip: -1)", "traces(limit: 501)"])
    def test_pages_have_bounds(self, api: httpx2.Client, field: str) -> None:
        assert refusal(api, f"{{ {field} {{ id }} }}")["extensions"]["code"] == "invalid_request"


class TestTheLibrary:
    def test_is_there_to_be_read(self, api: httpx2.Client, library: Library) -> None:
        query = """query ($repository: Int!, $document: Int!) {
          repositories { id }
          repository(id: $repository) { id name documentCount chunkCount createdAt }
          documents(repositoryId: $repository) { id name state textSha256 size }
          document(id: $document) { id repositoryId name }
        }"""
        found = data(api, query, repository=library.repository, document=library.tools)
        assert {"id": library.repository} in found["repositories"]
        assert found["repository"]["documentCount"] == 2
        assert [each["id"] for each in found["documents"]] == [library.tools, library.hours]
        assert {each["state"] for each in found["documents"]} == {"completed"}
        assert found["document"] == {"id": library.tools, "repositoryId": library.repository, "name": "tools.md"}

    def test_a_conversation_and_its_trace(self, api: httpx2.Client, library: Library) -> None:
        answer = api.post(
            "/v1/chat/completions",
            json={
                "project_id": 1,
                "session_id": "graphql",
                "messages": [{"role": "user", "content": QUESTION}],
                "repositories": {"ids": [library.repository]},
            },
        ).json()
        query = """query ($id: ID!) {
          trace(id: $id) { id outcome model question durationMs detail }
          traces(limit: 1) { id }
          threads(first: 500) { id session title turns { number question answer traceId } }
        }"""
        found = data(api, query, id=answer["trace_id"])
        assert (found["trace"]["outcome"], found["trace"]["question"]) == ("stop", QUESTION)
        assert found["trace"]["detail"]["answer"]
        assert len(found["traces"]) == 1
        [thread] = [each for each in found["threads"] if each["session"] == "graphql"]
        assert thread["turns"][-1]["traceId"] == answer["trace_id"]
        one = data(api, "query ($id: ID!) { thread(id: $id) { title turnCount turns { answer } } }", id=thread["id"])
        assert one["thread"]["turns"][-1]["answer"] == thread["turns"][-1]["answer"]

    def test_what_fails_leaves_the_rest(self, api: httpx2.Client) -> None:
        answer = ask(api, "{ hello todos(first: 1) { id } }")
        assert answer["data"]["hello"]


class TestAnotherProject:
    def test_sees_and_changes_nothing(self, api: httpx2.Client, stranger: httpx2.Client, library: Library) -> None:
        mine = create(api, title="secret")["id"]
        assert data(stranger, "{ todos { id } repositories { id } traces { id } threads { id } }") == {
            "todos": [], "repositories": [], "traces": [], "threads": [],
        }  # fmt: skip
        trace = data(api, "{ traces(limit: 1) { id } }")["traces"]
        attempts: list[tuple[str, dict[str, Any]]] = [
            (TODO, {"id": mine}),
            (TOGGLE, {"id": mine}),
            (DELETE, {"id": mine}),
            (UPDATE, {"data": {"id": mine, "title": "stolen"}}),
            (CREATE, {"data": {"title": "x", "parentId": mine}}),
            ("query ($id: Int!) { repository(id: $id) { id } }", {"id": library.repository}),
            ("query ($id: Int!) { documents(repositoryId: $id) { id } }", {"id": library.repository}),
            ("query ($id: Int!) { document(id: $id) { id } }", {"id": library.tools}),
            *(("query ($id: ID!) { trace(id: $id) { id } }", each) for each in trace),
        ]
        for query, variables in attempts:
            assert refusal(stranger, query, **variables)["extensions"]["code"] == "not_found", query
        assert data(api, TODO, id=mine)["todo"]["title"] == "secret"

    def test_a_key_that_may_only_read_changes_nothing(self, api: httpx2.Client, reader: httpx2.Client) -> None:
        mine = create(api, title="mine")["id"]
        assert data(reader, TODO, id=mine)["todo"]["title"] == "mine"
        for query, variables in (
            (TOGGLE, {"id": mine}),
            (DELETE, {"id": mine}),
            (UPDATE, {"data": {"id": mine, "title": "x"}}),
            (DOCUMENTED_MUTATION, {}),
        ):
            error = refusal(reader, query, **variables)
            assert error["extensions"]["code"] == "forbidden"
            assert "`write`" in error["message"]
        assert data(api, TODO, id=mine)["todo"]["title"] == "mine"


def bomb(size: int) -> str:
    """Fragments that name each other twice: a path for each number below 2**size."""
    links = "".join(f" fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(size))
    return f"{{ ...f0 }}{links} fragment f{size} on Query {{ a: hello }}"


class TestHostileQueries:
    @pytest.mark.parametrize(
        ("query", "says"),
        [
            ("{ " + " ".join(f"a{n}: hello" for n in range(17)) + " }", "aliases"),
            ("{ " + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(17)) + " }", "aliases"),
            (bomb(6), "aliases"),
            (bomb(60), "aliases"),
            ("{ " + "hello { " * 9 + "x" + " }" * 9 + " }", "deep"),
            ("{ " + "a { " * 600 + "x" + " }" * 600 + " }", "deep"),
            ("{ " + "hello " * 3000 + "}", "tokens"),
            ("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "itself"),
            ("{ ...missing }", "missing"),
            ("subscription { hello }", "subscription"),
            ("{", "Syntax Error"),
            ("{ __schema { types {" + " fields { type {" * 4 + " name" + " } }" * 4 + " } } }", "introspection"),
        ],
    )  # fmt: skip
    def test_are_refused_before_they_run(self, api: httpx2.Client, query: str, says: str) -> None:
        answer = api.post("/graphql", json={"query": query})
        assert answer.status_code == 200
        errors = answer.json()["errors"]
        assert answer.json()["data"] is None
        assert any(says.lower() in error["message"].lower() for error in errors), errors
        assert {error["extensions"]["code"] for error in errors} == {"invalid_request"}
        assert ask(api, "{ hello }")["data"]

    def test_a_megabyte_is_too_large(self, api: httpx2.Client) -> None:
        for size, says in ((20_000, "characters"), (1_000_000, "FOOTNOTE_MAX_REQUEST_BYTES")):
            answer = api.post("/graphql", json={"query": "{ hello #" + "x" * size + "\n}"})
            assert_error(answer, 413, says=says)

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ("{", None),
            ("[]", None),
            ("{}", "query"),
            ('{"query": 7}', "query"),
            ('{"query": "{ hello }", "variables": []}', "variables"),
            ('{"query": "{ hello }", "operationName": {}}', "operationName"),
        ],
    )
    def test_a_bad_body_is_named(self, api: httpx2.Client, body: str, field: str | None) -> None:
        assert_error(api.post("/graphql", content=body), 400, field=field)

    def test_an_unknown_operation_is_an_error_of_the_query(self, api: httpx2.Client) -> None:
        answer = api.post("/graphql", json={"query": "query A { hello } query B { hello }", "operationName": "C"})
        assert answer.status_code == 200
        assert answer.json()["errors"][0]["extensions"]["code"] == "invalid_request"

    @pytest.mark.parametrize("number", ["-1", "0", "2147483647", "2147483648", "1e3", "true", '"1"', "null"])
    def test_any_number_is_an_answer(self, api: httpx2.Client, number: str) -> None:
        error = refusal(api, f"{{ todo(id: {number}) {{ id }} }}")
        assert error["extensions"]["code"] in {"not_found", "invalid_request"}

    def test_introspection_is_open_to_who_has_a_key(self, api: httpx2.Client) -> None:
        names = {each["name"] for each in data(api, "{ __schema { types { name } } }")["__schema"]["types"]}
        assert {"Todo", "NearMiss", "Repository", "Document", "Thread", "Trace"} <= names


class TestPages:
    def test_a_browser_gets_a_page_that_may_load_only_from_here(self, nobody: httpx2.Client) -> None:
        for path in ("/", "/docs", "/redoc", "/graphql"):
            page = nobody.get(path, headers={"accept": "text/html"})
            assert page.headers["content-type"].startswith("text/html")
            policy = page.headers["content-security-policy"]
            assert "script-src 'self';" in policy
            assert "http" not in policy
            assert "<script>" not in page.text
            assert page.headers["x-frame-options"] == "DENY"

    def test_every_answer_tells_browsers_to_be_careful(self, api: httpx2.Client) -> None:
        for path in ("/v1/health", "/v1/repositories", "/v1/nothing", "/openapi.json", "/static/page.js"):
            headers = api.get(path).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "strict-transport-security" not in headers

    def test_no_other_origin_is_let_in(self, api: httpx2.Client) -> None:
        answer = api.get("/v1/repositories", headers={"origin": "https://elsewhere.example"})
        assert "access-control-allow-origin" not in answer.headers

    def test_health_is_what_the_chatbots_clients_look_for(self, service: RunningService) -> None:
        with service.client(None) as client:
            health = client.get("/health").json()
        assert health["status"] == "healthy"
        assert health["version"]
        assert isinstance(health["timestamp"], int)
        assert abs(health["timestamp"] - time.time()) < 60
