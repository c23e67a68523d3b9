"""What a practised reader of the manuals would build: sentence-transformers, Chroma and FastAPI.

    .peers/bench/bin/python bench/peer_app.py PORT FOLDER MODEL MODEL_SERVER

One Chroma collection a repository, because its metadata filter is slower; texts in Chroma; the blocking work in
FastAPI's threads. No keys, no traces, no threads, no citations: it does less than we do.
FOLDER has `collections/` (see bench/peer_library.py), MODEL is the folder of all-MiniLM-L6-v2.
"""

from __future__ import annotations

import sys
from typing import Any

import chromadb
import uvicorn
from chromadb.config import Settings
from fastapi import FastAPI
from openai import OpenAI
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer

ANSWER = "The sources say so [1], and a second one agrees [2]."


class Search(BaseModel):
    """Which collections, how many chunks of them, how similar."""

    ids: list[int]
    limit: int = 5
    similarity_threshold: float = 0.2


class Query(BaseModel):
    """A question to search for."""

    query: str
    repositories: Search


class Chat(BaseModel):
    """A question to answer."""

    question: str
    repositories: Search


def create_app(folder: str, model: str, model_server: str) -> FastAPI:
    """Loads the model and opens the collections."""
    encoder = SentenceTransformer(model, device="cpu")
    client = chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False))
    collections = {
        each.name: client.get_collection(each.name, embedding_function=None) for each in client.list_collections()
    }
    writer = OpenAI(base_url=f"{model_server}/v1", api_key="none")
    app = FastAPI()

    def search(question: str, options: Search) -> list[dict[str, Any]]:
        vector = encoder.encode([question], normalize_embeddings=True, show_progress_bar=False)
        found: list[tuple[float, str, int]] = []
        for repository_id in options.ids:
            result = collections[f"repository-{repository_id}"].query(
                query_embeddings=vector, n_results=options.limit, include=["documents", "distances"]
            )
            rows = zip(result["distances"][0], result["documents"][0], strict=True)
            found.extend((1 - distance, text, repository_id) for distance, text in rows)
        best = sorted(found, reverse=True)[: options.limit]
        return [
            {"content": text, "similarity_score": score, "repository_id": repository_id}
            for score, text, repository_id in best
            if score >= options.similarity_threshold
        ]

    def prompt(question: str, chunks: list[dict[str, Any]]) -> list[Any]:
        sources = "\n\n".join(f"[{number}] {chunk['content']}" for number, chunk in enumerate(chunks, 1))
        return [
            {"role": "system", "content": f"Answer from these sources and cite them as [n].\n\n{sources}"},
            {"role": "user", "content": question},
        ]

    @app.post("/retrieve")
    def retrieve(body: Query) -> dict[str, Any]:
        return {"document_chunks": search(body.query, body.repositories)}

    @app.post("/instant")
    def instant(body: Chat) -> dict[str, Any]:
        """The answer is a constant: not even the model server is asked."""
        chunks = search(body.question, body.repositories)
        prompt(body.question, chunks)
        return {"answer": ANSWER, "document_chunks": chunks}

    @app.post("/chat")
    def chat(body: Chat) -> dict[str, Any]:
        """The model server is asked through OpenAI's own client."""
        chunks = search(body.question, body.repositories)
        answer = writer.chat.completions.create(model="instant", messages=prompt(body.question, chunks))
        return {"answer": answer.choices[0].message.content, "document_chunks": chunks}

    return app


if __name__ == "__main__":
    port, *rest = sys.argv[1:]
    uvicorn.run(create_app(*rest), port=int(port), access_log=False, log_level="warning")
