"""Asks through the client of Prem's studio (0.5 and later). Requests are the parameters of `chat.completions`.

Modes: chat, and raw (`stream=True`, of which this client makes text).
"""

import premai
from lines import serve


def answer(url, key, mode, request):
    with premai.PremAI(api_key=key, base_url=url) as client:
        try:
            completion = client.chat.completions(**request)
        except premai.APIStatusError as error:
            return {
                "error": type(error).__name__,
                "status": error.status_code,
                "message": error.body["error"]["message"],
                "param": error.body["error"]["param"],
            }
    return {"text": completion} if mode == "raw" else completion.model_dump(mode="json")


serve(answer)
