"""The one place that turns an error into an HTTP answer (contract: wire, section 4)."""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from psycopg_pool import PoolTimeout

from agents_core.api.reply import reply
from agents_core.errors import AgentsError, Conflict
from agents_core.llm.errors import ModelError
from agents_core.tools.mcp.errors import McpUnreachable

logger = logging.getLogger(__name__)

UNKNOWN = "An unknown error occurred"


def refusal(detail: Any, status: int, *, retry: bool = False, **more: Any) -> HttpResponse:
    """``retry`` says whether sending the same again may help: without it, the clients send a refused request three times."""
    return reply({"detail": detail, **more}, status, **{"x-should-retry": "true" if retry else "false"})


def model_refusal(kind: str, message: str, status: int) -> HttpResponse:
    """What the failure of a model, or of an MCP server, answers. Not to be sent again: the message was kept."""
    body = {"error": {"type": kind, "message": message, "detail": message}}
    return reply(body, status, **{"x-should-retry": "false"})


def answer_to(error: AgentsError) -> HttpResponse:
    if isinstance(error, ModelError | McpUnreachable):
        return model_refusal(error.code, error.message, error.http_status)
    if isinstance(error, Conflict):
        return _conflict(error)
    if error.http_status == 422:
        return refusal(error.message, 422, trace_id="")
    if error.http_status == 500:
        logger.error("%s", error, exc_info=error)
    return refusal(error.message, error.http_status)


def _conflict(error: Conflict) -> HttpResponse:
    if error.code == "PENDING_APPROVAL":
        return refusal({"code": error.code, "message": error.message, **error.data}, 409)
    return refusal(error.message, 409, **error.data)


def _validation(error: ValidationError) -> HttpResponse:
    """The detail is the list of errors as text, without the input itself, which may be long or secret."""
    found = [{name: item[name] for name in ("type", "loc", "msg") if name in item} for item in error.errors]
    return refusal(repr(found), 422, trace_id="")


def _http_error(error: HttpError) -> HttpResponse:
    """A body that cannot be parsed reaches us wrapped; the cause says why."""
    if isinstance(error.__cause__, AgentsError):
        return answer_to(error.__cause__)
    return refusal(str(error), error.status_code)


def _too_big() -> HttpResponse:
    return refusal(f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20} MB.", 413)


def _busy(error: Exception) -> HttpResponse:
    logger.error("The database did not answer: %s", error)
    return refusal("The database does not answer at the moment: try again.", 503, retry=True)


def unknown(error: Exception) -> HttpResponse:
    logger.error("A request failed: %s", error, exc_info=error)
    return refusal(UNKNOWN, 500)


def response_to(error: Exception) -> HttpResponse:
    """The answer to whatever a route raised."""
    match error:
        case AgentsError():
            return answer_to(error)
        case ValidationError():
            return _validation(error)
        case HttpError():
            return _http_error(error)
        case RequestDataTooBig():
            return _too_big()
        case Http404():
            return refusal(str(error) or "Not Found", 404)
        case OperationalError() | InterfaceError() | PoolTimeout():
            return _busy(error)
        case _:
            return unknown(error)


def install(api: NinjaAPI) -> None:
    def handle(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
        return response_to(error) if isinstance(error, Exception) else unknown(error())

    for kind in (ValidationError, HttpError, Http404, AgentsError, Exception):
        api.add_exception_handler(kind, handle)
