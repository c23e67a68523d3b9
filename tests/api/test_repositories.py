"""/v1/repositories: make, list, look at, change, delete."""

from __future__ import annotations

import httpx2

from tests.api.library import PAGES, Library, upload
from tests.api.refusals import assert_error, assert_hidden, assert_needs_key


class TestCreate:
    def test_needs_a_key(self, nobody: httpx2.Client) -> None:
        assert_needs_key(nobody, "POST", "/v1/repositories", json={"name": "x"})

    def test_a_reading_key_may_not(self, reader: httpx2.Client) -> None:
        assert_error(reader.post("/v1/repositories", json={"name": "x"}), 403, says="write")

    def test_makes_one(self, api: httpx2.Client) -> None:
        made = api.post("/v1/repositories", json={"name": "Räume 🏠", "description": "d", "organization": "o"})
        assert made.status_code == 201
        shape = made.json()
        assert (shape["name"], shape["description"], shape["organization"]) == ("Räume 🏠", "d", "o")
        assert (shape["document_count"], shape["chunk_count"], shape["fingerprint"]) == (0, 0, None)
        assert api.get(f"/v1/repositories/{shape['id']}").json() == shape

    def test_a_project_that_is_not_there(self, api: httpx2.Client) -> None:
        for project in ("99", str(2**31), str(2**70)):
            response = api.post("/v1/repositories", json={"name": "x"}, headers={"x-footnote-project": project})
            assert_error(response, 404, says=project)

    def test_wrong_shapes_name_their_field(self, api: httpx2.Client) -> None:
        for body, field in (({}, "name"), ({"name": ""}, "name"), ({"name": 5}, "name"), ({"name": "x" * 201}, "name")):
            assert_error(api.post("/v1/repositories", json=body), 400, says=f"`{field}`", field=field)
        assert_error(api.post("/v1/repositories", json={"name": "x", "description": []}), 400, field="description")


class TestList:
    def test_needs_a_key(self, nobody: httpx2.Client) -> None:
        assert_needs_key(nobody, "GET", "/v1/repositories")

    def test_shows_a_stranger_nothing(self, stranger: httpx2.Client, library: Library) -> None:
        assert stranger.get("/v1/repositories").json() == []

    def test_lists_with_counts(self, api: httpx2.Client, library: Library) -> None:
        mine = next(each for each in api.get("/v1/repositories").json() if each["id"] == library.repository)
        assert mine["document_count"] == len(PAGES)
        assert mine["chunk_count"] > 0


class TestGet:
    def test_needs_a_key(self, nobody: httpx2.Client, library: Library) -> None:
        assert_needs_key(nobody, "GET", f"/v1/repositories/{library.repository}")

    def test_is_hidden_from_strangers(self, stranger: httpx2.Client, library: Library) -> None:
        assert_hidden(stranger, "GET", "/v1/repositories/{}", library.repository)

    def test_shows_it(self, api: httpx2.Client, library: Library) -> None:
        assert api.get(f"/v1/repositories/{library.repository}").json()["name"] == "Library"


class TestChange:
    def test_needs_a_key(self, nobody: httpx2.Client, library: Library) -> None:
        assert_needs_key(nobody, "PATCH", f"/v1/repositories/{library.repository}", json={"name": "x"})

    def test_is_hidden_from_strangers(self, stranger: httpx2.Client, library: Library) -> None:
        assert_hidden(stranger, "PATCH", "/v1/repositories/{}", library.repository, json={"name": "stolen"})

    def test_changes_what_is_named_and_no_more(self, api: httpx2.Client, repository: int) -> None:
        path = f"/v1/repositories/{repository}"
        assert api.patch(path, json={"description": "new"}).json()["name"] == "Own"
        assert api.patch(path, json={"name": "Other"}).json()["description"] == "new"
        assert api.patch(path, json={"description": None}).json()["description"] is None
        assert api.patch(path, json={}).json()["name"] == "Other"


class TestDelete:
    def test_needs_a_key(self, nobody: httpx2.Client, library: Library) -> None:
        assert_needs_key(nobody, "DELETE", f"/v1/repositories/{library.repository}")

    def test_is_hidden_from_strangers(self, stranger: httpx2.Client, library: Library, api: httpx2.Client) -> None:
        assert_hidden(stranger, "DELETE", "/v1/repositories/{}", library.repository)
        assert api.get(f"/v1/repositories/{library.repository}").status_code == 200

    def test_takes_everything_with_it(self, api: httpx2.Client, repository: int) -> None:
        document = upload(api, repository, "gone.txt", "This text will be gone.")
        assert api.delete(f"/v1/repositories/{repository}").status_code == 204
        assert_error(api.get(f"/v1/repositories/{repository}"), 404)
        assert_error(api.get(f"/v1/documents/{document['id']}"), 404)
        assert_error(api.get(f"/v1/documents/{document['id']}/text"), 404)
        query = {"query": "gone", "repositories": {"ids": [repository]}}
        assert_error(api.post("/v1/retrieve", json=query), 404)
