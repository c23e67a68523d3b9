"""Asks through openai's clients. Requests are the parameters of `chat.completions.create`.

Modes: sync, stream, hang-up (leaves after the first words), async, async-stream; parse and async-parse (into a Loan),
add-up (the helper that adds a stream up); and with the parameters of their own methods models, model, embeddings.

Not sent but heeded: `base` (the path, /v1 unless said) and `max_retries`.
"""

import asyncio

import openai
import pydantic
from lines import serve


class Loan(pydantic.BaseModel):
    who: str
    days: int


def sync(client, request):
    return client.chat.completions.create(**request).model_dump(mode="json")


def stream(client, request):
    chunks = [chunk.model_dump(mode="json") for chunk in client.chat.completions.create(**request, stream=True)]
    return {"chunks": chunks}


def hang_up(client, request):
    with client.chat.completions.create(**request, stream=True) as response:
        for chunk in response:
            if chunk.choices[0].delta.content:
                return {"heard": chunk.choices[0].delta.content}
    return {"heard": None}


def parsed(completion):
    return {
        "parsed": [choice.message.parsed and choice.message.parsed.model_dump() for choice in completion.choices],
        "refusals": [choice.message.refusal for choice in completion.choices],
    }


def parse(client, request):
    return parsed(client.chat.completions.parse(**request, response_format=Loan))


def add_up(client, request):
    with client.chat.completions.stream(**request, response_format=Loan) as stream:
        for _ in stream:
            pass
        return parsed(stream.get_final_completion())


def models(client, request):
    return {"models": [model.model_dump(mode="json") for model in client.models.list(**request)]}


def model(client, request):
    return client.models.retrieve(**request).model_dump(mode="json")


def embeddings(client, request):
    return client.embeddings.create(**request).model_dump(mode="json")


MODES = {
    "sync": sync,
    "stream": stream,
    "hang-up": hang_up,
    "parse": parse,
    "add-up": add_up,
    "models": models,
    "model": model,
    "embeddings": embeddings,
}


async def asynchronous(client, request):
    async with client:
        return (await client.chat.completions.create(**request)).model_dump(mode="json")


async def asynchronous_stream(client, request):
    async with client:
        response = await client.chat.completions.create(**request, stream=True)
        return {"chunks": [chunk.model_dump(mode="json") async for chunk in response]}


async def asynchronous_parse(client, request):
    async with client:
        return parsed(await client.chat.completions.parse(**request, response_format=Loan))


def ask(url, key, mode, request):
    where = {"base_url": url + request.pop("base", "/v1"), "api_key": key}
    if "max_retries" in request:
        where["max_retries"] = request.pop("max_retries")
    if mode == "async":
        return asyncio.run(asynchronous(openai.AsyncOpenAI(**where), request))
    if mode == "async-parse":
        return asyncio.run(asynchronous_parse(openai.AsyncOpenAI(**where), request))
    if mode == "async-stream":
        return asyncio.run(asynchronous_stream(openai.AsyncOpenAI(**where), request))
    with openai.OpenAI(**where) as client:
        return MODES[mode](client, request)


def answer(url, key, mode, request):
    try:
        return ask(url, key, mode, request)
    except openai.APIStatusError as error:
        return {
            "error": type(error).__name__,
            "status": error.status_code,
            "message": error.body["message"],
            "code": error.code,
            "type": error.type,
            "param": error.param,
            "request_id": error.request_id,
            "retry_after": error.response.headers.get("retry-after"),
        }
    except openai.APIError as error:
        return {"error": type(error).__name__, "message": error.message}


serve(answer)
