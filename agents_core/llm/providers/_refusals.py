"""Every way a provider says no, turned into the errors of ``agents_core.llm.errors`` with what to do next."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from agents_core.llm.errors import (
    ContextWindowExceeded,
    InvalidModelResponse,
    ModelAuthenticationError,
    ModelBadRequest,
    ModelError,
    ModelInsufficientCredits,
    ModelNotFound,
    ModelRateLimited,
    ModelServerError,
    ModelTimeout,
    ModelUnreachable,
)
from agents_core.llm.retry import retry_after_s

LONGEST_QUOTE_CHARS = 500


@dataclass(frozen=True, slots=True)
class Target:
    """Who was asked for what, for the sentences of an error.

    ``provider`` is a name for people: the company's, or the host. ``model`` is empty when no model was asked for.
    """

    provider: str
    base_url: str
    key_env: str
    timeout_s: float
    model: str = ""


# OpenAI, Anthropic, vLLM, Groq, Together, Gemini, llama.cpp, Ollama, LM Studio: each has its own sentence.
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|model_context_window_exceeded|request_too_large"
    r"|maximum context length|prompt is too long|exceeds? (the )?(available |maximum )?context (size|length|window)"
    r"|exceeds? the (model's )?context|exceed context limit|longer than the maximum model length"
    r"|reduce the length of (the )?(messages|prompt|input)|input is too long|input token count .* exceeds the maximum"
    r"|greater than the context length|context (the )?overflow|`inputs` tokens|too many tokens|request too large"
)
_NO_CREDIT = re.compile(
    r"insufficient_quota|billing_error|billing_hard_limit|credit balance|insufficient (credits|balance|funds)"
    r"|exceeded your current quota"
)
_NO_MODEL = re.compile(
    r"model_not_found|no such model|unknown model|invalid model"
    r"|model\b.{0,200}?\b(not found|does not exist|is not available|doesn't exist)"
    r"|not_found_error.*model"
)
_WRONG_KEY = re.compile(r"invalid_api_key|api key not valid|incorrect api key|authentication_error")

# What an error inside a stream, which has no status of its own, would have had.
_STATUS_OF_TYPE = {
    "overloaded_error": 529,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "authentication_error": 401,
    "permission_error": 403,
    "billing_error": 402,
    "insufficient_quota": 429,
    "not_found_error": 404,
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
}


def refused(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> ModelError:
    """The error for an HTTP answer other than 2xx."""
    kind, cause, advice = _diagnose(status, body, target)
    wait_s = retry_after_s(headers, datetime.now(UTC))
    return kind(cause, advice=advice, status=status, retry_after_s=wait_s, response_body=body)


def refused_in_stream(payload: Mapping[str, Any], body: bytes, target: Target) -> ModelError:
    """The error for a failure that the server told of inside its stream."""
    error = payload.get("error")
    error = error if isinstance(error, dict) else payload
    codes = (error.get("code"), error.get("type"), payload.get("type"))
    status = next((code for code in codes if isinstance(code, int) and 400 <= code < 600), None) or next(
        (_STATUS_OF_TYPE[code] for code in codes if isinstance(code, str) and code in _STATUS_OF_TYPE), 500
    )
    kind, cause, advice = _diagnose(status, json.dumps(payload).encode(), target)
    return kind(cause, advice=advice, status=status, response_body=body)


def _diagnose(status: int, body: bytes, target: Target) -> tuple[type[ModelError], str, str]:
    text = body.decode(errors="replace")
    folded = text.lower()
    said = f"{target.provider} answered {status}: {quote(body)}"
    if is_html(body) and (status in (404, 405) or status >= 500):
        return _web_page(status, target)
    if status == 402 or _NO_CREDIT.search(folded):
        return ModelInsufficientCredits, said, f"Add credit at {target.provider}, or choose another model."
    if status in (400, 413, 422, 500) and _TOO_LONG.search(folded):
        return (
            ContextWindowExceeded,
            said,
            "The request is longer than the model's context window: compact the conversation.",
        )
    if status in (401, 403) or (status == 400 and _WRONG_KEY.search(folded)):
        return ModelAuthenticationError, said, f"Check the key in the settings, or {target.key_env} in the environment."
    if status in (400, 404) and target.model and _NO_MODEL.search(folded):
        return ModelNotFound, said, f"{target.provider} has no model {target.model!r}: choose one that it lists."
    if status == 404:
        return ModelBadRequest, f"There is nothing at {target.base_url} ({said}).", _address_advice(target)
    return _by_status(status, said, target)


def _by_status(status: int, said: str, target: Target) -> tuple[type[ModelError], str, str]:
    if status == 429:
        return ModelRateLimited, said, "Wait, or ask the provider for a higher limit."
    if status in (408, 504):
        return ModelTimeout, said, "Try again."
    if status >= 500:
        return ModelServerError, said, f"The fault is on the side of {target.provider}: try again."
    return (
        ModelBadRequest,
        said,
        f"The request does not suit {target.model or target.provider}; see its body in the trace.",
    )


def _web_page(status: int, target: Target) -> tuple[type[ModelError], str, str]:
    cause = f"{target.base_url} answered {status} with a web page instead of the model's API."
    if status >= 500:
        return ModelServerError, cause, "A proxy in front of the server seems to have failed: try again."
    return ModelBadRequest, cause, _address_advice(target)


def _address_advice(target: Target) -> str:
    if urlsplit(target.base_url).path.strip("/"):
        return "Check the address."
    return f"Most servers want {target.base_url.rstrip('/')}/v1 as their address."


def not_a_stream(content_type: str, body: bytes, target: Target) -> ModelError:
    """The error for an answer of 200 that is no event stream."""
    if is_html(body):
        kind, cause, advice = _web_page(200, target)
        return kind(cause, advice=advice, status=200, response_body=body)
    try:
        payload = json.loads(body)
    except ValueError:
        payload = None
    if isinstance(payload, dict) and payload.get("error"):
        return refused_in_stream(payload, body, target)
    cause = f"{target.provider} answered with {content_type or 'no content type'} instead of a stream: {quote(body)}"
    return InvalidModelResponse(cause, advice="Does the server support streaming?", status=200, response_body=body)


def broken_off(body: bytes, target: Target) -> ModelError:
    """The error for a stream that ended, in good order, before its answer did."""
    cause = f"The answer of {target.provider} broke off after {len(body)} bytes, before its end."
    return InvalidModelResponse(cause, advice="Try again.", response_body=body)


def malformed(reason: Exception, body: bytes, target: Target) -> ModelError:
    cause = f"{target.provider} sent something that is not what its API says ({reason})."
    return InvalidModelResponse(cause, advice="See the response's body in the trace.", response_body=body)


def empty(body: bytes, target: Target) -> ModelError:
    cause = f"{target.provider} sent an answer with nothing in it."
    return InvalidModelResponse(cause, advice="Try again, or choose another model.", response_body=body)


def silent(body: bytes, target: Target) -> ModelError:
    cause = f"{target.provider} sent nothing for {target.timeout_s:g} s."
    advice = "Is the server busy, or loading the model? Try again."
    return ModelTimeout(cause, advice=advice, response_body=body)


def unreachable(reason: BaseException, body: bytes, target: Target) -> ModelError:
    """The error for a connection that could not be made or broke."""
    if body:
        cause = f"The connection to {target.base_url} broke after {len(body)} bytes of the answer."
        return ModelUnreachable(cause, advice="Try again.", response_body=body)
    why = str(reason) or type(reason).__name__
    return ModelUnreachable(f"No connection to {target.base_url} ({why}).", advice=_reach_advice(why, target))


def _reach_advice(why: str, target: Target) -> str:
    host = urlsplit(target.base_url).hostname
    if re.search(r"name or service not known|name resolution|nodename|getaddrinfo|no address", why.lower()):
        return f"The name {host!r} is not known: check the address."
    if re.search(r"certificate|ssl|tls", why.lower()):
        return "The server's certificate was not accepted: http or https?"
    return f"Is the server running on {host}, and does it listen on this port?"


def no_key(target: Target) -> ModelError:
    cause = f"No key is set for {target.provider}."
    return ModelAuthenticationError(cause, advice=f"Set it in the settings, or as {target.key_env} in the environment.")


def is_html(body: bytes) -> bool:
    return body.lstrip()[:1] == b"<"


def quote(body: bytes) -> str:
    """What a provider says went wrong, out of whichever shape it says it in."""
    try:
        said = _message(json.loads(body))
    except ValueError:
        said = ""
    said = said or body.decode(errors="replace").strip() or "(no text)"
    return said if len(said) <= LONGEST_QUOTE_CHARS else f"{said[:LONGEST_QUOTE_CHARS]}…"


def _message(payload: Any) -> str:
    if isinstance(payload, list):
        return _message(payload[0]) if payload else ""
    if not isinstance(payload, dict):
        return str(payload)
    found = payload.get("error") or payload.get("message") or payload.get("detail")
    return _message(found) if isinstance(found, dict | list) else str(found or "")
