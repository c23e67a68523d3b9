"""Asks through premai's `Prem`. Arguments: base URL, key, sync|stream, parameters of `create` as JSON."""

import json
import sys

from premai import Prem
from premai.errors import UnexpectedStatus


def ask(base_url, key, mode, request):
    client = Prem(api_key=key, base_url=base_url)
    if mode == "sync":
        return client.chat.completions.create(**request).to_dict()
    response = client.chat.completions.create(**request, stream=True)
    return {
        "chunks": [chunk.to_dict() for chunk in response],
        "trace_id": response.trace_id,
        "document_chunks": [chunk.to_dict() for chunk in response.document_chunks or ()],
    }


try:
    outcome = ask(*sys.argv[1:4], json.loads(sys.argv[4]))
except UnexpectedStatus as error:
    outcome = {"error": {"status": error.status_code, **json.loads(error.content)}}
print(json.dumps(outcome))
