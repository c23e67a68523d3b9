"""Asks through premai's `Prem`. Requests are the parameters of `chat.completions.create`.

Modes: sync, stream, hang-up (leaves after the first words); and with the parameters of their own methods models,
model, embeddings.
"""

import json

from lines import serve
from premai import Prem
from premai.errors import UnexpectedStatus


def sync(client, request):
    return client.chat.completions.create(**request).to_dict()


def stream(client, request):
    response = client.chat.completions.create(**request, stream=True)
    return {
        "chunks": [chunk.to_dict() for chunk in response],
        "trace_id": response.trace_id,
        "document_chunks": [chunk.to_dict() for chunk in response.document_chunks or ()],
    }


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


MODES = {
    "sync": sync,
    "stream": stream,
    "hang-up": hang_up,
    "models": models,
    "model": model,
    "embeddings": embeddings,
}


def answer(url, key, mode, request):
    try:
        return MODES[mode](Prem(api_key=key, base_url=url), request)
    except UnexpectedStatus as error:
        return {"error": {"status": error.status_code, **json.loads(error.content)}}


serve(answer)
