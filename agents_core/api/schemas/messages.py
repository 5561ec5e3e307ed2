"""Bodies and parameters of the message routes (contract: wire, sections 6 and 7)."""

import base64
import binascii
import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, Field, model_validator

from agents_core.actions.messages import CallAnswer
from agents_core.api.paging import Order
from agents_core.errors import InvalidInput, Refused

MessageType = Literal[
    "system_message",
    "user_message",
    "assistant_message",
    "reasoning_message",
    "hidden_reasoning_message",
    "tool_call_message",
    "tool_return_message",
    "approval_request_message",
    "approval_response_message",
    "summary_message",
    "event_message",
]

_DATA_URL = re.compile(r"data:(?P<media_type>image/[\w.+-]+);base64,(?P<data>.+)", re.DOTALL)


class TextPart(BaseModel):
    type: Literal["text"] = "text"
    text: str
    signature: str | None = None

    def stored(self) -> dict[str, Any]:
        return {"type": "text", "text": self.text}


class ImageSource(BaseModel):
    type: Literal["base64", "url"]
    media_type: str = "image/png"
    data: str = ""
    url: str = ""


class ImagePart(BaseModel):
    type: Literal["image"]
    source: ImageSource

    def stored(self) -> dict[str, Any]:
        """The image in base64. Raises ``Refused`` for an address, which this server does not fetch, and for what is no base64."""
        media_type, data = self.source.media_type, self.source.data
        if self.source.type == "url":
            found = _DATA_URL.fullmatch(self.source.url)
            if found is None:
                raise Refused("Images are not fetched from addresses: send the image as base64, or as a data: URL.")
            media_type, data = found["media_type"], found["data"]
        if not media_type.startswith("image/"):
            raise Refused(f"An image has a media_type such as image/png, not {media_type!r:.60}.")
        try:
            base64.b64decode(data, validate=True)
        except binascii.Error:
            raise Refused("The image is not valid base64.") from None
        return {"type": "image", "media_type": media_type, "data": data}


Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]


class AnswerIn(BaseModel):
    """An answer to one tool call that waits. ``arguments`` replace those that the model gave."""

    type: Literal["approval", "tool"] = "approval"
    tool_call_id: str
    approve: bool = False
    reason: str | None = None
    arguments: dict[str, Any] | None = None
    tool_return: str | list[Part] = ""
    status: Literal["success", "error"] = "success"
    stdout: list[str] | None = None
    stderr: list[str] | None = None

    def answer(self) -> CallAnswer:
        """Raises ``Refused`` for an image in a result."""
        returned = self.tool_return
        if not isinstance(returned, str):
            if any(isinstance(part, ImagePart) for part in returned):
                raise Refused("A tool's result may hold text only: leave out the image, or send it in a message.")
            returned = "".join(part.text for part in returned if isinstance(part, TextPart))
        streams = ("\n".join(lines) if lines else None for lines in (self.stdout, self.stderr))
        decision = (self.approve, self.reason, self.arguments)
        return CallAnswer(self.tool_call_id, self.type, *decision, returned, self.status, *streams)


class MessageIn(BaseModel):
    """``type`` is "message", "approval" (with ``approvals``; older clients send ``approve`` alone) or "tool_return" (``tool_returns``)."""

    type: str = "message"
    role: Literal["user", "system", "assistant"] | None = None
    content: str | list[Part] | None = None
    name: str | None = None
    otid: str | None = None
    sender_id: str | None = None
    approvals: list[AnswerIn] | None = None
    tool_returns: list[AnswerIn] | None = None
    approve: bool | None = None
    approval_request_id: str | None = None
    reason: str | None = None

    @property
    def is_answer(self) -> bool:
        return (
            self.type in ("approval", "tool_return") or self.approve is not None or self.approval_request_id is not None
        )

    def answers(self) -> list[CallAnswer]:
        return [given.answer() for given in [*(self.approvals or []), *(self.tool_returns or [])]]

    def parts(self) -> list[dict[str, Any]]:
        """The content as it is stored. Raises ``InvalidInput`` when there is none."""
        return stored_parts(self.content)


def stored_parts(content: str | list[Part] | None) -> list[dict[str, Any]]:
    parts = [TextPart(text=content)] if isinstance(content, str) else content or []
    if not any(isinstance(part, ImagePart) or part.text for part in parts):
        raise InvalidInput("A message needs content: a text, or parts of which one holds text or an image.")
    return [part.stored() for part in parts]


class ClientTool(BaseModel):
    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str | None = None
    parameters: dict[str, Any] | None = None


class SendRequest(BaseModel):
    """What a message route is asked. Fields that this server has no use for are ignored. ``budgets`` go beyond the V1 API."""

    messages: list[MessageIn] | None = None
    input: str | list[Part] | None = None
    max_steps: int = Field(50, ge=1, le=1000)
    streaming: bool = False
    stream_tokens: bool = False
    include_pings: bool = True
    background: bool = False
    include_return_message_types: list[MessageType] | None = None
    use_assistant_message: bool = True
    assistant_message_tool_name: str = "send_message"
    assistant_message_tool_kwarg: str = "message"
    client_tools: list[ClientTool] | None = None
    override_model: str | None = None
    override_system: str | None = Field(None, validation_alias=AliasChoices("override_system", "system"))
    callback_url: str | None = None
    budgets: dict[str, Any] | None = None
    include_compaction_messages: bool = False

    @model_validator(mode="after")
    def _one_input(self) -> "SendRequest":
        if (self.input is None) == (self.messages is None):
            raise ValueError("give exactly one of input and messages")
        if not (self.messages or self.input):
            raise ValueError("there is no message to send")
        return self

    def items(self) -> list[MessageIn]:
        return self.messages if self.messages is not None else [MessageIn(role="user", content=self.input)]


class ConversationSendRequest(SendRequest):
    """As ``SendRequest``; streams unless told otherwise. ``agent_id`` goes with the thread "default"."""

    streaming: bool = True
    agent_id: str | None = None


class CancelRequest(BaseModel):
    run_ids: list[str] | None = None


class ResetRequest(BaseModel):
    add_default_initial_messages: bool = False


class CompactRequest(BaseModel):
    """``agent_id`` goes with the thread "default"."""

    compaction_settings: dict[str, Any] | None = None
    agent_id: str | None = None


class ResumeRequest(BaseModel):
    """``starting_after`` is the ``seq_id`` of the last frame that was seen. Polling parameters of other servers are
    ignored: this one pushes."""

    starting_after: int = Field(default=0, ge=0)
    include_pings: bool = True
    run_id: str | None = None
    otid: str | None = None
    agent_id: str | None = None


class ShownAs(BaseModel):
    """How listed messages are to be shown."""

    use_assistant_message: bool = True
    assistant_message_tool_name: str = "send_message"
    assistant_message_tool_kwarg: str = "message"
    include_return_message_types: list[MessageType] | None = None


class MessageCursor(BaseModel):
    """Cursors of message lists are chronological: ``after`` is newer, ``before`` is older, whatever the order."""

    before: str | None = None
    after: str | None = None
    limit: int = Field(100, ge=1, le=1000)
    order: Order = "desc"
    order_by: Literal["created_at"] = "created_at"


class MessageList(MessageCursor, ShownAs):
    conversation_id: str | None = None


class MessageSearch(BaseModel):
    query: str
    search_mode: Literal["vector", "fts", "hybrid"] = "hybrid"
    agent_id: str | None = None
    conversation_id: str | None = None
    limit: int = Field(50, ge=1, le=100)
    start_date: datetime | None = None
    end_date: datetime | None = None
