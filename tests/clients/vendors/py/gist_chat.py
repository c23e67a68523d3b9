"""Gist by requests and sseclient-py: a request a line, its answer or its events a line."""

import requests
import sseclient
from lines import serve


def answer(url, key, mode, request):
    headers = {"Content-Type": "application/json", **request.get("headers", {})}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    address = url + request.get("path", "/v1/chat/completions")
    response = requests.request(
        request.get("method", "POST"), address, headers=headers, json=request.get("body"), stream=mode == "stream"
    )
    if mode == "stream" and response.ok:
        events = [{"event": event.event, "data": event.data} for event in sseclient.SSEClient(response).events()]
        return {"status": response.status_code, "events": events}
    body = response.json() if response.content else None
    return {"status": response.status_code, "body": body, "headers": dict(response.headers)}


serve(answer)
