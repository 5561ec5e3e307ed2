"""What a person or a client may do with tools. Each is one transaction that tells every agent that holds the tool."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction

from agents_core.actions.agent_archive import archive_answers
from agents_core.actions.agents import locked
from agents_core.actions.tool_environment import checked_hosts, checked_variables, packages_of, stored_variables
from agents_core.actions.tool_rules import approval_rule, checked_rules
from agents_core.actions.tool_versions import VERSIONED, find_version, record_version
from agents_core.errors import Conflict, NotFound, Refused
from agents_core.events.publish import lock_agents, publish
from agents_core.events.types import AgentChanged
from agents_core.models import Agent, AgentTool, Author, Tool, ToolType
from agents_core.models.pipeline import run_sync
from agents_core.sandbox.base import Limits, SandboxOutcome
from agents_core.tools.base import builtin_definitions
from agents_core.tools.environment import Variable, environment
from agents_core.tools.execute import run_source
from agents_core.tools.languages import Language, derive, language
from agents_core.tools.requirements import requirements_of
from agents_core.tools.schema import strictly

LONGEST_NAME = 48


def ensure_builtin_tools() -> None:
    """Writes the tools that are part of the product as they are in this version; safe to repeat."""
    definitions = builtin_definitions()
    with transaction.atomic():
        known = {
            tool.name: tool for tool in Tool.objects.select_for_update().filter(name__in=[d.name for d in definitions])
        }
        for definition in definitions:
            tool = known.get(definition.name)
            own = {
                "tool_type": definition.tool_type,
                "description": definition.description,
                "json_schema": definition.json_schema,
                "enable_parallel_execution": definition.parallel,
                "source_code": None,
            }
            if tool is None:
                Tool.objects.create(name=definition.name, **own)
            elif any(getattr(tool, name) != value for name, value in own.items()):
                _set(tool, own)
                tool.save()


@dataclass(frozen=True, slots=True)
class Described:
    """A tool's name and schema, as its source or its author gives them."""

    name: str
    description: str
    json_schema: dict[str, Any]


def described(fields: Mapping[str, Any]) -> Described:
    """What ``source_code``, ``source_type`` and a given ``json_schema`` or ``args_json_schema`` say of a tool.

    Raises ``Refused`` for a source from which no schema can be derived, and for a name that is too long.
    """
    given = fields.get("json_schema")
    written_in = language(fields.get("source_type"))
    if given and given.get("name"):
        schema = {"description": "", "parameters": {"type": "object", "properties": {}}, **given}
    else:
        schema = _derived(fields["source_code"], written_in)
    if fields.get("args_json_schema"):
        schema = {**schema, "parameters": fields["args_json_schema"]}
    if fields.get("description"):
        schema = {**schema, "description": fields["description"]}
    if len(schema["name"]) > LONGEST_NAME:
        raise Refused(f"A tool's name may have {LONGEST_NAME} characters: {schema['name']!r} is too long.")
    return Described(schema["name"], schema["description"], schema)


def _derived(source: str, written_in: Language) -> dict[str, Any]:
    schema = strictly(derive(source, written_in))
    return {"name": schema.name, "description": schema.description, "parameters": schema.parameters}


def upsert(fields: Mapping[str, Any], *, strict: bool = False, author: Author = Author.API) -> Tool:
    """The tool made from ``fields``, in place of the one of the same name. Raises ``Refused``; ``Conflict`` when
    ``strict`` and the name is taken."""
    about = described(fields)
    with transaction.atomic():
        known = Tool.objects.select_for_update().filter(name=about.name).first()
        tool = known or Tool(name=about.name)
        if tool.tool_type != ToolType.CUSTOM:
            raise Refused(f"{about.name} {origin(tool)}: give your tool another name.")
        if strict and known:
            raise Conflict(f"A tool named {about.name!r} exists.")
        _keep_language(tool, fields.get("source_type") or Language.PYTHON if known else None)
        given = {name: value for name, value in fields.items() if value is not None}
        _set(
            tool,
            {
                **_with_checked_environment(tool, given),
                "description": about.description,
                "json_schema": about.json_schema,
            },
        )
        _save(tool)
        record_version(tool, author)
        if known:
            tell_holders([tool.id])
    return tool


def modify(
    tool_id: str, changes: Mapping[str, Any], *, read_at: datetime | None = None, author: Author = Author.API
) -> Tool:
    """The tool with ``changes`` made; a new source or argument schema gives a new schema.

    Raises ``NotFound``, ``Refused``, and ``Conflict`` when the tool is not the one whose ``updated_at`` was ``read_at``.
    """
    with transaction.atomic():
        tool = _locked(tool_id)
        if read_at is not None and tool.updated_at != read_at:
            raise Conflict(f"{tool.name} was saved by somebody else after you opened it.")
        if tool.tool_type != ToolType.CUSTOM and set(changes) - {
            "default_requires_approval",
            "return_char_limit",
            "tags",
        }:
            raise Refused(f"{tool.name} {origin(tool)}: only its approval, return limit and tags can be changed.")
        _keep_language(tool, changes.get("source_type"))
        _set(tool, _with_checked_environment(tool, changes))
        if changes.keys() & {"source_code", "json_schema", "args_json_schema"}:
            about = described({**_described_by(tool), **changes})
            tool.name, tool.description, tool.json_schema = about.name, about.description, about.json_schema
        _save(tool)
        if tool.tool_type == ToolType.CUSTOM:
            record_version(tool, author)
        tell_holders([tool_id])
    return tool


def roll_back(tool_id: str, number: int, *, read_at: datetime | None = None, author: Author = Author.API) -> Tool:
    """The tool as it was in version ``number``, which makes a new version. Raises as ``modify`` does."""
    version = find_version(tool_id, number)
    fields = {name: getattr(version, name) for name in VERSIONED}
    return modify(tool_id, fields, read_at=read_at, author=author)


def _described_by(tool: Tool) -> dict[str, Any]:
    return {"source_code": tool.source_code, "source_type": tool.source_type, "args_json_schema": tool.args_json_schema}


def origin(tool: Tool) -> str:
    """Where a tool comes from that no person wrote."""
    if tool.tool_type != ToolType.MCP:
        return "is part of the product"
    return f"is a tool of the MCP server {tool.metadata.get('mcp', {}).get('server_name', '')!r}"


def _set(tool: Tool, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        setattr(tool, name, value)


def _keep_language(tool: Tool, source_type: str | None) -> None:
    """Raises ``Refused`` for another language than the tool's: its versions and cases are of that one."""
    if source_type not in {None, tool.source_type}:
        raise Refused(
            f"{tool.name} is written in {tool.source_type}, and stays so: give the {source_type} tool another name."
        )


def _with_checked_environment(tool: Tool, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ``Refused`` for requirements and hosts that are none, or that tools of its language cannot have."""
    required = requirements_of(fields.get("pip_requirements") or ())
    if required and language(fields.get("source_type") or tool.source_type) is not Language.PYTHON:
        raise Refused("pip_requirements are Python's: a TypeScript tool has what Node.js has, and no packages.")
    if fields.get("npm_requirements"):
        raise Refused("npm packages cannot be installed for tools here: leave npm_requirements empty.")
    return {**fields, "hosts": checked_hosts(fields["hosts"])} if "hosts" in fields else dict(fields)


def _save(tool: Tool) -> None:
    """Saves it, and then begins to install what it asks for."""
    try:
        with transaction.atomic():
            tool.save()
    except IntegrityError:
        raise Refused(f"A tool named {tool.name!r} exists: choose another name.") from None
    transaction.on_commit(packages_of(tool).start)


def delete(tool_id: str) -> None:
    """Takes the tool from every agent and deletes it. Raises ``Refused`` when there is none, and for tools of the product."""
    with transaction.atomic():
        tool = Tool.objects.filter(pk=tool_id).first()
        if tool is None:
            raise Refused(f"There is no tool {tool_id}.")
        if tool.tool_type not in {ToolType.CUSTOM, ToolType.MCP}:
            raise Refused(
                f"{tool.name} is part of the product and cannot be deleted: detach it where it is not wanted."
            )
        tell_holders([tool_id])
        tool.delete()


def get(tool_id: str) -> Tool:
    """Raises ``NotFound``."""
    tool = Tool.objects.filter(pk=tool_id).first()
    if tool is None:
        raise NotFound(f"There is no tool {tool_id}.")
    return tool


def _locked(tool_id: str) -> Tool:
    tool = Tool.objects.select_for_update().filter(pk=tool_id).first()
    if tool is None:
        raise NotFound(f"There is no tool {tool_id}.")
    return tool


def tell_holders(tool_ids: Iterable[str]) -> None:
    """Tells every agent that holds one of the tools that its tools have changed. Within a transaction."""
    links = AgentTool.objects.filter(tool__in=list(tool_ids)).order_by("agent_id")
    agent_ids = list(links.values_list("agent_id", flat=True).distinct())
    if agent_ids:
        run_sync([lock_agents(agent_ids)])
    for agent_id in agent_ids:
        publish(agent_id, AgentChanged(["tools"]))


# --- tools of an agent --------------------------------------------------------------------------------------------


def attach(agent_id: str, tool_id: str) -> None:
    """Gives the agent the tool; nothing happens when it has it. Raises ``NotFound``."""
    with transaction.atomic():
        agent, tool = locked(agent_id), get(tool_id)
        _, made = AgentTool.objects.get_or_create(agent=agent, tool=tool)
        if made:
            asks = tool.default_requires_approval and _require_approval(agent, tool.name, True)
            publish(agent_id, AgentChanged(["tools", "tool_rules"] if asks else ["tools"]))


def detach(agent_id: str, tool_id: str) -> None:
    """Takes the tool from the agent. Raises ``NotFound``, also when the agent does not have it."""
    with transaction.atomic():
        agent = locked(agent_id)
        links, _ = AgentTool.objects.filter(agent=agent, tool=tool_id).delete()
        if not links:
            raise NotFound(f"The agent has no tool {tool_id}.")
        publish(agent_id, AgentChanged(["tools"]))


def set_approval(agent_id: str, tool_name: str, required: bool) -> None:
    """Says whether calls of the agent's tool wait for a person's approval. Raises ``NotFound``."""
    with transaction.atomic():
        agent = locked(agent_id)
        of_agent(agent_id, tool_name)
        if _require_approval(agent, tool_name, required):
            publish(agent_id, AgentChanged(["tool_rules"]))


def _require_approval(agent: Agent, tool_name: str, required: bool) -> bool:
    """Sets or drops the rule; gives whether that changed anything."""
    rule = approval_rule(tool_name)
    rules = [other for other in agent.tool_rules if not rule.items() <= other.items()] + [rule] * required
    if rules == agent.tool_rules:
        return False
    agent.tool_rules = rules
    agent.save(update_fields=["tool_rules", "updated_at"])
    return True


def add_rule(agent_id: str, rule: Mapping[str, Any]) -> None:
    """Adds a tool rule to the agent's; nothing happens when it has it. Raises ``NotFound``, ``InvalidInput``."""
    with transaction.atomic():
        agent = locked(agent_id)
        if rule not in agent.tool_rules:
            _set_rules(agent, [*agent.tool_rules, *checked_rules([rule])])


def let_follow(agent_id: str, tool_name: str, child: str) -> None:
    """Lets ``child`` be called right after ``tool_name``: by its rule of what may follow, or a new one if it has none. Raises ``NotFound``
    for a tool that the agent does not have."""
    with transaction.atomic():
        agent = locked(agent_id)
        for name in (tool_name, child):
            of_agent(agent_id, name)
        following = {"type": "constrain_child_tools", "tool_name": tool_name}
        rules = list(agent.tool_rules)
        place = next((place for place, rule in enumerate(rules) if following.items() <= rule.items()), None)
        if place is None:
            _set_rules(agent, [*rules, {**following, "children": [child]}])
        elif child not in rules[place]["children"]:
            rules[place] = {**rules[place], "children": [*rules[place]["children"], child]}
            _set_rules(agent, rules)


def remove_rule(agent_id: str, rule: Mapping[str, Any]) -> None:
    """Raises ``NotFound``, also when the agent does not have the rule."""
    with transaction.atomic():
        agent = locked(agent_id)
        if rule not in agent.tool_rules:
            raise NotFound("The agent has no such tool rule.")
        _set_rules(agent, [other for other in agent.tool_rules if other != rule])


def _set_rules(agent: Agent, rules: list[dict[str, Any]]) -> None:
    agent.tool_rules = rules
    agent.save(update_fields=["tool_rules", "updated_at"])
    publish(agent.id, AgentChanged(["tool_rules"]))


def of_agent(agent_id: str, name: str) -> Tool:
    """The agent's tool of that name. Raises ``NotFound``."""
    tool = Tool.objects.filter(agent_links__agent=agent_id, name=name).first()
    if tool is None:
        raise NotFound(f"The agent has no tool named {name!r}.")
    return tool


# --- trying a tool ------------------------------------------------------------------------------------------------


async def run_once(
    fields: Mapping[str, Any],
    arguments: dict[str, Any],
    env: Mapping[str, str],
    *,
    of: Tool | None = None,
    agent: dict[str, Any] | None = None,
    limits: Limits | None = None,
    record: bool = False,
) -> SandboxOutcome:
    """What the function of a source gives for ``arguments``, in the sandbox, with the variables ``env`` and ``pip_requirements`` of
    ``fields``; with ``record``, step by step. ``of``: the tool that the source is to replace; it has that one's variables and hosts too,
    and its packages where ``fields`` name none. ``agent``: what it is told of the agent that calls it, whose archival memory it may
    read; what it changes of that one's memory is in the outcome and written nowhere.

    Raises ``Refused``, ``SandboxUnavailable``, ``PackagesUnavailable``.
    """
    name = fields.get("name") or described(fields).name
    ids = {"AGENT_ID": agent["id"], "LETTA_AGENT_ID": agent["id"]} if agent else {}
    ids |= {"LETTA_TOOL_ID": of.id} if of else {}
    variables = [Variable(key, value, False) for key, value in {**checked_variables(env), **ids}.items()]
    of_tool = await sync_to_async(stored_variables)(of.id) if of else []
    requirements = fields.get("pip_requirements", of.pip_requirements if of else None) or ()
    written_in = language(fields.get("source_type") or (of.source_type if of else None))
    given = environment([*of_tool, *variables], requirements, of.hosts if of else ())
    return await run_source(
        fields["source_code"],
        name,
        arguments,
        given,
        agent=agent,
        limits=limits,
        record=record,
        written_in=written_in,
        answer=archive_answers(agent["id"]) if agent else None,
    )
