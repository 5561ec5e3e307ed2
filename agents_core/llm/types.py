"""What goes to a model and what comes back, the same for every provider. No Django here."""

from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "tool_calls", "length", "refused"]


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """``data`` is base64 without a ``data:`` prefix."""

    media_type: str
    data: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A model's thinking. ``signature`` is opaque and goes back to the provider that made it;
    ``redacted`` means that ``signature`` holds encrypted thinking and ``text`` is empty."""

    text: str
    signature: str | None = None
    redacted: bool = False


Part = Text | Image | Reasoning


@dataclass(frozen=True, slots=True)
class ToolCall:
    """``arguments`` is the model's JSON text as it came, possibly malformed."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message. ``tool_calls`` only on an assistant's, ``tool_call_id`` and ``is_error`` only on a tool's."""

    role: Role
    parts: tuple[Part, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    is_error: bool = False

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Text))


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """``parameters`` is a JSON Schema object."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call of a model.

    ``model`` is the name at the provider. ``system`` is the compiled system prompt. ``messages`` hold no system
    message of the agent itself, though an operator's ``system`` messages may stand among them.
    ``tool_choice``: "auto", "required", "none", or the name of the one tool to force.
    ``reasoning_effort``: "low" | "medium" | "high" for OpenAI's reasoning models; ``reasoning_tokens``: budget in
    tokens for Anthropic's. ``response_format``: None, {"type": "json_object"} or
    {"type": "json_schema", "json_schema": {...}}.
    """

    model: str
    system: str
    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str = "auto"
    parallel_tool_calls: bool = False
    max_output_tokens: int | None = None
    temperature: float | None = None
    reasoning_effort: str | None = None
    reasoning_tokens: int | None = None
    response_format: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider reports them. ``input_tokens`` is the whole prompt, cached part included."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """Where in the request's JSON a part of the request stands.

    ``path`` leads from the root of the body to the value, e.g. ``("messages", 3)``, ``("tools", 0)``,
    ``("system", 0, "text")``. ``source`` is "system", "tool" or "message"; ``index`` counts within ``request.tools``
    or ``request.messages`` (0 for "system"). One source may be placed several times. In body order.
    """

    path: tuple[str | int, ...]
    source: Literal["system", "tool", "message"]
    index: int = 0


# --- what a provider's stream yields, in this order -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """The exact bytes of the HTTP body as they went out, and where each part of the request stands in them."""

    body: bytes
    layout: tuple[Placed, ...]
    url: str


@dataclass(frozen=True, slots=True)
class Retrying:
    """A transient refusal; the same request goes out again after ``after_s`` seconds. Only before any delta.

    ``attempt`` numbers the try to come: 2 for the first that is a retry.
    """

    attempt: int
    after_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """``index`` numbers the calls of one answer; ``id`` and ``name`` come with the first delta of each."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """The last item of a stream: the whole answer, joined. ``body`` is the response's bytes as received."""

    message: ChatMessage
    finish_reason: FinishReason
    usage: Usage
    body: bytes
    request_id: str | None = None
    first_token_ms: float | None = None
    duration_ms: float = 0.0


StreamItem = Sent | Retrying | TextDelta | ReasoningDelta | ToolCallDelta | Finished


# --- what a provider tells of itself ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as a provider lists it. ``context_window_source``: "provider", "catalog" or "default"."""

    name: str
    context_window: int
    context_window_source: str
    max_output_tokens: int | None = None
    embedding_dimensions: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of a provider test, for people: what was asked, what came back, what to do next."""

    ok: bool
    address: str
    status: int | None
    summary: str
    advice: str = ""
    models: tuple[ModelInfo, ...] = field(default=())
    duration_ms: float = 0.0
