"""Asks through parea-ai's `Parea`. Requests are its dataclasses' fields, by the name of the mode's method.

Modes: completion, acompletion, stream, astream, prompt, feedback, traced, log, logs, project.
"""

import asyncio
import contextlib
import io
import os
import threading

from lines import serve

_KNOWN = {}


def client(url, key):
    """One client a key: its constructor makes the project, and with a wrong key tries for eight seconds."""
    os.environ["PAREA_BASE_URL"] = f"{url}/api/parea/v1"  # read when parea is imported
    from parea import Parea

    if key not in _KNOWN:
        _KNOWN[key] = Parea(api_key=key, project_name="vendors")
    _KNOWN[key]._client.set_api_key(key)  # one HTTP client for all
    return _KNOWN[key]


def completion(request):
    from parea.schemas import Completion, LLMInputs, Message, ModelParams

    request = dict(request)
    configuration = dict(request.pop("llm_configuration", {}))
    if "messages" in configuration:
        configuration["messages"] = [Message(**message) for message in configuration["messages"]]
    if "model_params" in configuration:
        configuration["model_params"] = ModelParams(**configuration["model_params"])
    return Completion(llm_configuration=LLMInputs(**configuration), **request)


def whole(parea, request):
    return shown(parea.completion(completion(request)))


def awhole(parea, request):
    return shown(waited(parea.acompletion(completion(request))))


def stream(parea, request):
    return {"chunks": list(parea.stream(completion(request)))}


def astream(parea, request):
    async def heard():
        return [chunk async for chunk in parea.astream(completion(request))]

    return {"chunks": waited(heard())}


def prompt(parea, request):
    from parea.schemas import UseDeployedPrompt

    return shown(parea.get_prompt(UseDeployedPrompt(**request)))


def feedback(parea, request):
    from parea.schemas import FeedbackRequest

    return {"returned": parea.record_feedback(FeedbackRequest(**request))}


def traced(parea, request):
    """A function with a step inside it, and a completion inside that."""
    from parea import get_current_trace_id, trace

    ids = {}

    @trace(name="step", tags=["inner"])
    def step(word):
        ids["step"] = get_current_trace_id()
        return parea.completion(completion(request)).content + word

    @trace(name="chain", metadata={"who": "ann"}, end_user_identifier="ann", log_sample_rate=request.pop("rate", 1.0))
    def chain(question):
        ids["chain"] = get_current_trace_id()
        return step("!")

    output = chain(question="What?")
    for thread in threading.enumerate():  # the decorator writes its logs from threads of its own
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    return {"output": output, **ids}


def log(parea, request):
    return shown(parea.get_trace_log(request["trace_id"]))


def logs(parea, request):
    from parea.schemas import QueryParams

    return shown(parea.get_trace_logs(QueryParams(**request)))


def project(parea, request):
    return {"project_uuid": parea.project_uuid}


def shown(value):
    import attrs

    return attrs.asdict(value)


_LOOP = asyncio.new_event_loop()  # one: the SDK's only async client belongs to it


def waited(coroutine):
    return _LOOP.run_until_complete(coroutine)


MODES = {
    "completion": whole,
    "acompletion": awhole,
    "stream": stream,
    "astream": astream,
    "prompt": prompt,
    "feedback": feedback,
    "traced": traced,
    "log": log,
    "logs": logs,
    "project": project,
}


def answer(url, key, mode, request):
    with contextlib.redirect_stdout(io.StringIO()) as printed:  # it tells of what it cannot read by printing
        try:
            outcome = MODES[mode](client(url, key), request)
        except Exception as error:
            cause = getattr(getattr(error, "last_attempt", None), "exception", lambda: None)()
            name = type(cause).__name__ if cause else None
            outcome = {"error": type(error).__name__, "cause": name, "message": f"{error} {cause or ''}"}
    return {**outcome, "printed": printed.getvalue()}


serve(answer)
