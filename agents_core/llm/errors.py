"""Why a model call failed, one class a cause. Stop reasons and HTTP shapes follow the V1 wire contract, section 4."""

from typing import ClassVar

from agents_core.errors import AgentsError


class ModelError(AgentsError):
    """A provider refused or failed.

    The message is the ``cause`` and then the ``advice``, what to do next; pages that show them apart have both.
    ``response_body`` holds the bytes that came back, as far as they came. ``transient`` errors may pass by themselves.
    """

    code = "llm_error"
    http_status = 500
    stop_reason: ClassVar[str] = "llm_api_error"
    transient: ClassVar[bool] = False

    def __init__(
        self,
        cause: str,
        *,
        advice: str = "",
        status: int | None = None,
        retry_after_s: float | None = None,
        response_body: bytes = b"",
    ) -> None:
        super().__init__(f"{cause} {advice}".strip(), status=status)
        self.cause = cause
        self.advice = advice
        self.status = status
        self.retry_after_s = retry_after_s
        self.response_body = response_body


class ModelAuthenticationError(ModelError):
    code = "llm_authentication"
    http_status = 401


class ModelInsufficientCredits(ModelError):
    code = "llm_insufficient_credits"
    http_status = 402
    stop_reason = "insufficient_credits"


class ModelRateLimited(ModelError):
    code = "llm_rate_limit"
    http_status = 429
    transient = True


class ModelTimeout(ModelError):
    """No answer, or a stream that stalled, within the time allowed."""

    code = "llm_timeout"
    http_status = 504
    transient = True


class ModelUnreachable(ModelError):
    """No connection to the address, or it broke before the answer was whole."""

    transient = True


class ModelServerError(ModelError):
    """The provider answered 5xx."""

    transient = True


class ModelBadRequest(ModelError):
    code = "llm_bad_request"
    http_status = 400


class ModelNotFound(ModelBadRequest):
    """The provider does not know the model."""

    http_status = 404


class ContextWindowExceeded(ModelBadRequest):
    """The request is longer than the model's context window: compact and try again."""

    code = "context_window_exceeded"


class InvalidModelResponse(ModelError):
    """What came back is not what the protocol says (malformed JSON, a stream cut off, an empty answer)."""

    stop_reason = "invalid_llm_response"
    transient = True
