"""Asks through LangChain's ChatPremAI. Arguments: base URL, key, invoke|stream, parameters as JSON.

Parameters: `model` (of the constructor), `question`, and optionally `tools` and `template` ({"id", "param"}).
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore", category=DeprecationWarning)

from langchain_community.chat_models import ChatPremAI  # noqa: E402
from langchain_core.messages import HumanMessage, SystemMessage  # noqa: E402
from premai import Prem  # noqa: E402


def ask(base_url, key, mode, request):
    chat = ChatPremAI(premai_api_key=key, **request["model"])
    chat.client = Prem(api_key=key, base_url=base_url)  # it has no base URL of its own
    if "tools" in request:
        chat = chat.bind_tools(request["tools"])
    if "template" in request:
        chat = chat.bind(template_id=request["template"]["id"])
        messages = [HumanMessage(request["question"], id=request["template"]["param"])]
    else:
        messages = [SystemMessage("Answer from the sources."), HumanMessage(request["question"])]
    if mode == "invoke":
        message = chat.invoke(messages)
        return {
            "content": message.content,
            "tool_calls": message.tool_calls,
            "document_chunks": message.response_metadata["document_chunks"],
        }
    return {"pieces": [piece.content for piece in chat.stream(messages)]}


print(json.dumps(ask(*sys.argv[1:4], json.loads(sys.argv[4]))))
