"""A question-answering service: retrieve passages, assemble a prompt, ask Claude."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI
from opentelemetry import trace
from pydantic import BaseModel
from wrapper import ask_claude, text_of

tracer = trace.get_tracer("article.app")

app = FastAPI()

PASSAGES = [
    "A refund is paid to the card that was charged, within five working days.",
    "Parcels are handed to the carrier on the working day after the order.",
    "An account is closed from its settings page and can be restored for thirty days.",
    "Invoices carry the address that was current when the order was placed.",
    "A plan can be changed at any time; the difference is charged pro rata.",
]


class Question(BaseModel):
    """A conversation with Claude whose last message is the question."""

    model_id: str
    body: dict[str, Any]


@app.post("/api/v1/answer")
def answer(question: Question) -> dict[str, Any]:
    """Answers the question. A failure of the model is a failure of the request."""
    passages = vector_search(question_text(question.body))
    body = assemble(question.body, passages)
    reply = ask_claude(question.model_id, body)
    return {
        "answer": text_of(reply),
        "stop_reason": reply.get("stop_reason"),
        "usage": reply.get("usage"),
    }


def vector_search(question: str) -> list[str]:
    """The two passages that share the most words with the question."""
    with tracer.start_as_current_span("vector_search") as span:
        wanted = words(question)
        ranked = sorted(PASSAGES, key=lambda passage: len(wanted & words(passage)), reverse=True)
        found = ranked[:2]
        span.set_attribute("search.results", len(found))
        return found


def assemble(body: dict[str, Any], passages: list[str]) -> dict[str, Any]:
    """`body` with the passages added to its last message."""
    with tracer.start_as_current_span("context_assembly") as span:
        *earlier, last = body["messages"]
        content = last["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        context = "Passages that may help:\n" + "\n".join(passages)
        span.set_attribute("context.characters", len(context))
        asked = {**last, "content": [*blocks, {"type": "text", "text": context}]}
        return {**body, "messages": [*earlier, asked]}


def question_text(body: dict[str, Any]) -> str:
    content = body["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return " ".join(block.get("text", "") for block in content)


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))
