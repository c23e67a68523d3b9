"""Asks through premai's `Prem`. Requests are the parameters of `chat.completions.create`.

Modes: sync, stream, hang-up (leaves after the first words); file (repository_id, name, content: uploaded from disk as
the later clients do); else a method by its dotted name, with its own parameters: `models.list`, `traces.retrieve`.
"""

import functools
import json
import tempfile
from pathlib import Path

from lines import serve
from premai import Prem
from premai.errors import UnexpectedStatus


def sync(client, request):
    return client.chat.completions.create(**request).to_dict()


def stream(client, request):
    response = client.chat.completions.create(**request, stream=True)
    seen = {"chunks": []}
    try:
        for chunk in response:
            seen["chunks"].append(chunk.to_dict())
    except Exception as error:  # premai 0.3.25 stumbles over an error event
        seen["raised"] = repr(error)
    chunks = [chunk.to_dict() for chunk in response.document_chunks or ()]
    return {**seen, "trace_id": response.trace_id, "document_chunks": chunks}


def hang_up(client, request):
    for chunk in client.chat.completions.create(**request, stream=True):
        if chunk.choices[0].delta["content"]:
            return {"heard": chunk.choices[0].delta["content"]}  # nothing holds the stream any longer
    return {"heard": None}


def models(client, request):
    return {"models": [model.to_dict() for model in client.models.list(**request)]}


def model(client, request):
    return client.models.retrieve(**request).to_dict()


def embeddings(client, request):
    return client.embeddings.create(**request).to_dict()


def file(client, request):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, request["name"])
        path.write_text(request["content"])
        return client.repository.document.create(request["repository_id"], file=str(path)).to_dict()


def call(method, client, request):
    result = functools.reduce(getattr, method.split("."), client)(**request)
    return {"items": [each.to_dict() for each in result]} if isinstance(result, list) else result.to_dict()


MODES = {
    "sync": sync,
    "stream": stream,
    "hang-up": hang_up,
    "models": models,
    "model": model,
    "embeddings": embeddings,
    "file": file,
}


def answer(url, key, mode, request):
    try:
        ask = MODES.get(mode) or functools.partial(call, mode)
        return ask(Prem(api_key=key, base_url=url), request)
    except UnexpectedStatus as error:
        return {"error": {"status": error.status_code, **json.loads(error.content)}}


serve(answer)
