"""Where in the IDE a thing is shown that somebody names by its id alone: in a log, an API answer, a message to a colleague."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from agents_core.errors import NotFound
from agents_core.models import Agent, Archive, Block, Conversation, File, Message, Passage, Run, Step, ToolCase


def address_of(thing_id: str) -> str:
    """The address of the page that shows it. Raises ``NotFound``."""
    prefix = thing_id.rpartition("-")[0] if thing_id.startswith("case-") else thing_id[:-37]
    find = _PLACES.get(prefix)
    found = find(thing_id) if find else None
    if found is None:
        raise NotFound(
            _("Nothing here has the id {thing_id}: it may have been deleted.").format(thing_id=thing_id[:80])
        )
    return found


def message_address(agent_id: str, message_id: str) -> str:
    """The message among those around it."""
    return f"/agents/{agent_id}?aside=recall&message={message_id}"


def _agent(agent_id: str) -> str | None:
    return f"/agents/{agent_id}" if Agent.objects.filter(id=agent_id).exists() else None


def _block(block_id: str) -> str | None:
    return f"/blocks/{block_id}" if Block.objects.filter(id=block_id).exists() else None


def _message(message_id: str) -> str | None:
    agent_id = Message.objects.filter(id=message_id).values_list("agent_id", flat=True).first()
    return message_address(agent_id, message_id) if agent_id else None


def _passage(passage_id: str) -> str | None:
    found = Passage.objects.filter(id=passage_id, is_deleted=False).first()
    return passage_address(found) if found else None


def passage_address(passage: Passage) -> str | None:
    """Where a passage is read: in the file that it was cut from, else with the first agent that holds its archive; None without one."""
    file = File.objects.filter(id=passage.metadata.get("file_id", "")).first()
    if file is not None:
        return f"/folders/{file.folder_id}?file={file.id}"
    holder = Agent.objects.filter(archive_links__archive=passage.archive_id).order_by("archive_links__id").first()
    return f"/agents/{holder.id}?aside=archival&passage={passage.id}" if holder else None


def _run(run_id: str) -> str | None:
    agent_id = Run.objects.filter(id=run_id).values_list("agent_id", flat=True).first()
    return f"/agents/{agent_id}?main=runs&run={run_id}" if agent_id else None


def _step(step_id: str) -> str | None:
    found = Step.objects.filter(id=step_id).values_list("agent_id", "number").first()
    return f"/agents/{found[0]}/steps/{found[1]}" if found else None


def _case(case: str) -> str | None:
    number = case.removeprefix("case-")
    found = ToolCase.objects.filter(id=int(number[:18])).first() if number.isdecimal() else None
    return f"/tools/{found.tool_id}#{case}" if found else None


def _conversation(conversation_id: str) -> str | None:
    found = Conversation.objects.filter(id=conversation_id).values_list("agent_id", flat=True).first()
    return f"/agents/{found}?conversation={conversation_id}" if found else None


def _archive(archive_id: str) -> str | None:
    archive = Archive.objects.filter(id=archive_id).first()
    folder = getattr(archive, "folder", None)
    if folder is not None:
        return f"/folders/{folder.id}"
    holder = Agent.objects.filter(archive_links__archive=archive_id).order_by("archive_links__id").first()
    return f"/agents/{holder.id}?aside=archival&archive={archive_id}" if holder else None


def _file(file_id: str) -> str | None:
    folder_id = File.objects.filter(id=file_id).values_list("folder_id", flat=True).first()
    return f"/folders/{folder_id}?file={file_id}" if folder_id else None


_PLACES: Mapping[str, Callable[[str], str | None]] = {
    "agent": _agent,
    "block": _block,
    "message": _message,
    "passage": _passage,
    "run": _run,
    "step": _step,
    "case": _case,
    "conv": _conversation,
    "archive": _archive,
    "file": _file,
    # Their pages tell themselves when there is no such thing.
    "tool": lambda tool_id: f"/tools/{tool_id}",
    "source": lambda folder_id: f"/folders/{folder_id}",
    "job": lambda batch_id: f"/batches/{batch_id}",
    "group": lambda group_id: f"/groups/{group_id}",
    "mcp_server": lambda server_id: f"/mcp-servers/{server_id}",
}
