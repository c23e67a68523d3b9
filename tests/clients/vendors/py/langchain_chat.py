"""Asks through LangChain's ChatPremAI, and embeds through its PremAIEmbeddings.

Modes: invoke, stream, hang-up (leaves after the first words); embed, whose request has `model` (of the constructor),
`documents` and `query`.

Requests: `model` (of the constructor), `question`, and optionally `tools`, `template` ({"id", "param"}) and `bind`
(parameters of ChatPremAI that go with each question, such as session_id).
"""

import warnings

warnings.filterwarnings("ignore", category=DeprecationWarning)

from langchain_community.chat_models import ChatPremAI  # noqa: E402
from langchain_community.embeddings import PremAIEmbeddings  # noqa: E402
from langchain_core.messages import HumanMessage, SystemMessage  # noqa: E402
from lines import serve  # noqa: E402
from premai import Prem  # noqa: E402


def invoke(chat, messages):
    message = chat.invoke(messages)
    return {
        "content": message.content,
        "tool_calls": message.tool_calls,
        "document_chunks": message.response_metadata["document_chunks"],
    }


def stream(chat, messages):
    return {"pieces": [piece.content for piece in chat.stream(messages)]}


def hang_up(chat, messages):
    for piece in chat.stream(messages):
        if piece.content:
            return {"heard": piece.content}
    return {"heard": None}


MODES = {"invoke": invoke, "stream": stream, "hang-up": hang_up}


def embed(url, key, request):
    embeddings = PremAIEmbeddings(premai_api_key=key, **request["model"])
    embeddings.client = Prem(api_key=key, base_url=url)
    return {
        "documents": embeddings.embed_documents(request["documents"]),
        "query": embeddings.embed_query(request["query"]),
    }


def answer(url, key, mode, request):
    if mode == "embed":
        return embed(url, key, request)
    chat = ChatPremAI(premai_api_key=key, **request["model"])
    chat.client = Prem(api_key=key, base_url=url)  # it has no base URL of its own
    if "tools" in request:
        chat = chat.bind_tools(request["tools"])
    chat = chat.bind(**request.get("bind", {}))
    if "template" in request:
        chat = chat.bind(template_id=request["template"]["id"])
        messages = [HumanMessage(request["question"], id=request["template"]["param"])]
    else:
        messages = [SystemMessage("Answer from the sources."), HumanMessage(request["question"])]
    try:
        return MODES[mode](chat, messages)
    except Exception as error:
        return {"raised": type(error).__name__, "says": str(error)}


serve(answer)
