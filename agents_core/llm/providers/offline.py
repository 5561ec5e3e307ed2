"""The offline model: rules behind the interface of a provider. No key, no network, the same answer every time."""

import os
import time
from collections.abc import AsyncGenerator

from agents_core.errors import InvalidInput
from agents_core.llm import catalog
from agents_core.llm.base import Endpoint
from agents_core.llm.errors import ContextWindowExceeded, ModelNotFound
from agents_core.llm.offline import rules, shape, summary
from agents_core.llm.offline.summary import SUMMARY_REQUEST
from agents_core.llm.offline.turn import Move, read
from agents_core.llm.providers._in_process import LocalAnswer, estimated_usage, numbered_calls, played, sent
from agents_core.llm.types import Check, ModelInfo, ModelRequest, StreamItem

__all__ = ["SUMMARY_REQUEST", "OfflineProvider"]

ADDRESS = "offline:rules"
MODELS = tuple(ModelInfo(name, catalog.facts(name).context_window, "catalog") for name in ("rules", "rules-8k"))


class OfflineProvider:
    """Rules, not a language model (``agents_core.llm.offline``). The endpoint is not used.

    ``OFFLINE_DELAY_MS`` in the environment is the pause before each piece of an answer, 0 without it.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._delay_s = _delay_s(os.environ.get("OFFLINE_DELAY_MS", ""))

    async def stream(self, request: ModelRequest) -> AsyncGenerator[StreamItem, None]:
        """Raises ``ModelNotFound``, and ``ContextWindowExceeded`` for a request longer than the model's window."""
        started = time.perf_counter()
        model = _model(request.model)
        yield sent(request, ADDRESS)
        move = decided(request)
        answer = LocalAnswer(move.text, move.why, numbered_calls(request, move.calls))
        usage = estimated_usage(request, answer.message)
        if usage.input_tokens > model.context_window:
            raise ContextWindowExceeded(
                f"The request has about {usage.input_tokens} tokens and {model.name} takes {model.context_window}.",
                advice="Compact the conversation, or choose a model with a larger context window.",
            )
        async for item in played(request, answer, usage, started, self._delay_s):
            yield item

    async def list_models(self) -> list[ModelInfo]:
        return list(MODELS)

    async def check(self) -> Check:
        return Check(True, ADDRESS, None, "The offline model is built in: rules, not a language model.", models=MODELS)

    async def aclose(self) -> None:
        """Nothing is open."""


def decided(request: ModelRequest) -> Move:
    """What the rules make of ``request``: text or calls, and why."""
    if summary.is_summary_request(request):
        return Move(
            "Rule 'summary': the sentences with names, numbers, decisions and errors.", summary.summarised(request)
        )
    turn = read(request)
    return shape.shaped(turn, rules.decide(turn))


def _model(name: str) -> ModelInfo:
    found = next((model for model in MODELS if model.name == name), None)
    if found is None:
        known = ", ".join(model.name for model in MODELS)
        raise ModelNotFound(f"There is no offline model {name!r}.", advice=f"Choose one of: {known}.")
    return found


def _delay_s(text: str) -> float:
    try:
        return max(0.0, float(text or 0)) / 1000
    except ValueError:
        raise InvalidInput(f"OFFLINE_DELAY_MS must be a number of milliseconds, not {text!r}.") from None
