"""Works through the todo list by the gql package, with the schema fetched and every query checked against it.

Arguments: base URL, key. Prints one JSON object.
"""

import json
import sys

from gql import Client, gql
from gql.transport.exceptions import TransportQueryError, TransportServerError
from gql.transport.requests import RequestsHTTPTransport

BASE_URL, API_KEY = sys.argv[1:]


def connect(authorization):
    transport = RequestsHTTPTransport(url=f"{BASE_URL}/graphql", headers={"Authorization": authorization}, retries=0)
    return Client(transport=transport, fetch_schema_from_transport=True)


client = connect(f"Bearer {API_KEY}")
documented_query = gql("query { todos { id title completed createdAt } }")
documented_mutation = gql('mutation { createTodo(title: "Test Todo") { id title completed createdAt } }')

made = client.execute(documented_mutation)["createTodo"]
listed = client.execute(documented_query)["todos"]
toggle = gql("mutation ($id: Int!) { toggleTodo(id: $id) { completed } }")
toggle.variable_values = {"id": made["id"]}
toggled = client.execute(toggle)["toggleTodo"]
gone = gql("mutation ($id: Int!) { deleteTodo(id: $id) }")
gone.variable_values = {"id": made["id"]}
deleted = client.execute(gone)["deleteTodo"]
try:
    client.execute(gone)
    refusal = None
except TransportQueryError as error:
    refusal = error.errors[0]["extensions"]["code"]
try:
    connect("beareryour_api_key_here").execute(documented_query)
    unauthorized = None
except TransportServerError as error:
    unauthorized = error.code
print(
    json.dumps(
        {
            "made": made,
            "listed": made in listed,
            "toggled": toggled["completed"],
            "deleted": deleted,
            "refusal": refusal,
            "unauthorized": unauthorized,
        }
    )
)
