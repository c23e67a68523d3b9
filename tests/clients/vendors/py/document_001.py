"""The documented client of source document 001, word for word but for its base URL and key.

Arguments: base URL, key. The document's `"beareryour_api_key_here"` is `Bearer <key>` with the space lost.
"""

# ruff: noqa
import sys

BASE_URL, API_KEY = sys.argv[1:]

import requests
import json


def stream_chat_completion(model, messages):
    url = f"{BASE_URL}/v1/chat/completions"
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {API_KEY}"}
    data = {"model": model, "messages": messages, "stream": True}

    with requests.post(url, json=data, headers=headers, stream=True) as response:
        for line in response.iter_lines():
            if line:
                decoded_line = line.decode("utf-8")
                if decoded_line.startswith("data: "):
                    chunk = json.loads(decoded_line[6:])
                    yield chunk
                elif decoded_line == "data: [DONE]":
                    break


# Usage
messages = [{"role": "user", "content": "Tell me a joke"}]
for chunk in stream_chat_completion("default", messages):
    print(chunk["choices"][0]["delta"]["content"], end="", flush=True)
