"""Ids as they stand in paths and bodies: ``<prefix>-<uuid4>``, refused with 422 when malformed (contract: wire, section 1)."""

from typing import Annotated

from pydantic import StringConstraints

_UUID4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

AgentId = Annotated[str, StringConstraints(pattern=f"^agent-{_UUID4}$")]
ArchiveId = Annotated[str, StringConstraints(pattern=f"^archive-{_UUID4}$")]
BlockId = Annotated[str, StringConstraints(pattern=f"^block-{_UUID4}$")]
FileId = Annotated[str, StringConstraints(pattern=f"^file-{_UUID4}$")]
FolderId = Annotated[str, StringConstraints(pattern=f"^source-{_UUID4}$")]
GroupTurnId = Annotated[str, StringConstraints(pattern=f"^group_turn-{_UUID4}$")]
MessageId = Annotated[str, StringConstraints(pattern=f"^message-{_UUID4}$")]
PassageId = Annotated[str, StringConstraints(pattern=f"^passage-{_UUID4}$")]
GroupId = Annotated[str, StringConstraints(pattern=f"^group-{_UUID4}$")]
ProposalId = Annotated[str, StringConstraints(pattern=f"^proposal-{_UUID4}$")]
RunId = Annotated[str, StringConstraints(pattern=f"^run-{_UUID4}$")]
StepId = Annotated[str, StringConstraints(pattern=f"^step-{_UUID4}$")]
ToolId = Annotated[str, StringConstraints(pattern=f"^tool-{_UUID4}$")]
WatchId = Annotated[str, StringConstraints(pattern=f"^watch-{_UUID4}$")]

# A thread: a conversation, or "default" (or an agent's id) for the agent's own.
ThreadId = Annotated[str, StringConstraints(pattern=f"^(default|(conv|agent)-{_UUID4})$")]
ConversationId = Annotated[str, StringConstraints(pattern=f"^conv-{_UUID4}$")]
