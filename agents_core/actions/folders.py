"""What a person or a client may do with folders. Each is one transaction that tells every agent that holds the folder.

Whoever changes what is in a folder, or who holds it, locks the folder first and the agents then.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from agents_core.actions.agents import locked, tools_named
from agents_core.actions.tool_rules import approval_rule
from agents_core.errors import Conflict, InvalidInput, NotFound
from agents_core.events.publish import lock_agents, publish
from agents_core.events.types import AgentChanged
from agents_core.memory.embedders import default_handle
from agents_core.memory.files.opening import Opened, open_statements
from agents_core.memory.files.views import view_of
from agents_core.models import Agent, AgentFile, AgentFolder, AgentTool, Archive, File, FileStatus, Folder
from agents_core.models.pipeline import Statement, run_sync

FILE_TOOLS = ("open_files", "grep_files", "semantic_search_files")

_LONGEST_NAME = 200
_DELETE_PASSAGES = (
    "DELETE FROM passage_term WHERE archive_id = %s",
    "DELETE FROM passage WHERE archive_id = %s",
)


def checked_name(name: str) -> str:
    """Raises ``InvalidInput`` for a name that could not stand before a file's."""
    if not name.strip() or len(name) > _LONGEST_NAME or "/" in name or not name.isprintable():
        raise InvalidInput(f"A folder's name has 1 to {_LONGEST_NAME} characters on one line, and no slash.")
    return name


def create(fields: Mapping[str, Any]) -> Folder:
    """A folder of ``name``, ``description``, ``instructions``, ``metadata`` and ``embedding``, the handle of its embedder.

    Raises ``InvalidInput``, ``Conflict`` for a name that is taken.
    """
    name, handle = checked_name(fields["name"]), fields.get("embedding") or default_handle()
    if not handle.partition("/")[2]:
        raise InvalidInput(f"{handle!r} is no embedding handle: it has the form provider/model.")
    own = {key: value for key, value in fields.items() if key not in ("name", "embedding")}
    with transaction.atomic():
        archive = Archive.objects.create(name=name, embedding=handle)
        return _saved(Folder(name=name, archive=archive, **own))


def _saved(folder: Folder) -> Folder:
    try:
        with transaction.atomic():
            folder.save()
    except IntegrityError:
        raise Conflict(f"There is a folder named {folder.name!r} already: choose another name.") from None
    return folder


def get(folder_id: str) -> Folder:
    """Raises ``NotFound``."""
    folder = Folder.objects.select_related("archive").filter(pk=folder_id).first()
    if folder is None:
        raise NotFound(f"There is no folder {folder_id}.")
    return folder


def locked_folder(folder_id: str) -> Folder:
    """The folder, held against other writers to the end of the transaction. Raises ``NotFound``."""
    folder = Folder.objects.select_for_update(of=("self",)).select_related("archive").filter(pk=folder_id).first()
    if folder is None:
        raise NotFound(f"There is no folder {folder_id}.")
    return folder


def modify(folder_id: str, changes: Mapping[str, Any]) -> Folder:
    """The folder with another name, description, instructions or metadata. Raises ``NotFound``, ``InvalidInput``, ``Conflict``."""
    with transaction.atomic():
        folder = locked_folder(folder_id)
        if "name" in changes:
            checked_name(changes["name"])
        for name, value in changes.items():
            setattr(folder, name, value)
        _saved(folder)
        tell_holders(folder_id, "folders")
    return folder


def delete(folder_id: str) -> None:
    """Deletes the folder with its files and passages, and takes it from its agents. Raises ``NotFound``."""
    with transaction.atomic():
        folder = locked_folder(folder_id)
        for agent_id in lock_holders(folder_id):
            _take(locked(agent_id), folder)
        run_sync(Statement(sql, (folder.archive_id,)) for sql in _DELETE_PASSAGES)
        folder.archive.delete()


# --- agents -------------------------------------------------------------------------------------------------------


def holders(folder_id: str) -> list[str]:
    links = AgentFolder.objects.filter(folder=folder_id)
    return list(links.order_by("agent_id").values_list("agent_id", flat=True))


def lock_holders(folder_id: str) -> list[str]:
    """The ids of the agents that hold the folder, which the transaction locked before."""
    agent_ids = holders(folder_id)
    if agent_ids:
        run_sync([lock_agents(agent_ids)])
    return agent_ids


def tell_holders(folder_id: str, *fields: str) -> list[str]:
    """Tells the agents of a change; gives their ids."""
    agent_ids = lock_holders(folder_id)
    for agent_id in agent_ids:
        publish(agent_id, AgentChanged(list(fields)))
    return agent_ids


def of_agent(agent_id: str) -> list[Folder]:
    """The agent's folders, in the order in which it got them. Raises ``NotFound`` without the agent."""
    folders = list(
        Folder.objects.select_related("archive").filter(agent_links__agent=agent_id).order_by("agent_links__id")
    )
    if not folders and not Agent.objects.filter(pk=agent_id).exists():
        raise NotFound("Agent not found")
    return folders


def attach(agent_id: str, folder_id: str) -> Agent:
    """Gives the agent the folder and the file tools, and opens files of it as long as more may be open. Raises ``NotFound``."""
    with transaction.atomic():
        folder = locked_folder(folder_id)
        agent = locked(agent_id)
        if AgentFolder.objects.filter(agent=agent, folder=folder).exists():
            return agent
        AgentFolder.objects.create(agent=agent, folder=folder)
        give_files(
            agent, list(folder.files.select_related("content").defer("content__upload").order_by("created_at", "id"))
        )
        publish(agent_id, AgentChanged(["folders", "files", *_give_tools(agent)]))
    return agent


def give_files(agent: Agent, files: Sequence[File]) -> None:
    """Links files to an agent that is locked, and opens the first that can be read while it may have more open."""
    AgentFile.objects.bulk_create([AgentFile(agent=agent, file=file) for file in files])
    readable = [file for file in files if file.status != FileStatus.ERROR or file.content.text is not None]
    room = agent.max_files_open - AgentFile.objects.filter(agent=agent, is_open=True).count()
    opened = [
        Opened(file.id, view_of(file.content.text, 0, None, agent.per_file_view_window_char_limit))
        for file in readable[: max(room, 0)]
    ]
    run_sync(open_statements(agent.id, opened))


def _give_tools(agent: Agent) -> list[str]:
    """Gives the agent the file tools that it has not; names the fields that changed."""
    missing = [
        tool for tool in tools_named(FILE_TOOLS) if not AgentTool.objects.filter(agent=agent, tool=tool).exists()
    ]
    AgentTool.objects.bulk_create([AgentTool(agent=agent, tool=tool) for tool in missing])
    rules = [approval_rule(tool.name) for tool in missing if tool.default_requires_approval]
    if not rules:
        return ["tools"] if missing else []
    agent.tool_rules = [*agent.tool_rules, *rules]
    agent.save(update_fields=["tool_rules"])
    return ["tools", "tool_rules"]


def detach(agent_id: str, folder_id: str) -> Agent:
    """Takes the folder from the agent, and with its last folder the file tools. Raises ``NotFound``, also when it does not hold it."""
    with transaction.atomic():
        folder = locked_folder(folder_id)
        agent = locked(agent_id)
        if not AgentFolder.objects.filter(agent=agent, folder=folder).exists():
            raise NotFound(f"The agent holds no folder {folder_id}.")
        _take(agent, folder)
    return agent


def replace(agent_id: str, folder_ids: Sequence[str]) -> None:
    """Gives the agent exactly these folders. Raises ``NotFound``."""
    with transaction.atomic():
        held = [folder.id for folder in of_agent(agent_id)]
        for folder_id in sorted({*held, *folder_ids}):
            if folder_id not in held:
                attach(agent_id, folder_id)
            elif folder_id not in folder_ids:
                detach(agent_id, folder_id)


def _take(agent: Agent, folder: Folder) -> None:
    AgentFile.objects.filter(agent=agent, file__folder=folder).delete()
    AgentFolder.objects.filter(agent=agent, folder=folder).delete()
    changed = ["folders", "files"]
    if not AgentFolder.objects.filter(agent=agent).exists():
        AgentTool.objects.filter(agent=agent, tool__name__in=FILE_TOOLS).delete()
        changed.append("tools")
    publish(agent.id, AgentChanged(changed))
