"""What every page tells of the whole server: the line at its foot, and how much there is of what."""

import asyncio
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ade.fragments import Fragment
from agents_core.models import ACTIVE, Run, RunStatus, pipeline
from agents_core.models.pipeline import Statement
from agents_core.sandbox.base import SandboxStatus
from agents_core.tools.execute import sandbox

_CHOOSING_S = 3.0


def status_line(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what _status_line.html and _nav_workspace.html draw; computed only where a page draws it."""
    return {"facts": _facts, "address": request.get_host(), "workspace": workspace_counts}


def _facts() -> list[tuple[str, str, str]]:
    chosen = sandbox_status()
    return [
        ("database", _database(), ""),
        ("runs", runs_text(), ""),
        ("sandbox", sandbox_text(chosen), " ".join(filter(None, (chosen.reason, chosen.advice)))),
    ]


def _database() -> str:
    return _("embedded Postgres 18") + " · pgvector" if settings.EMBEDDED_DATABASE else "PostgreSQL · pgvector"


def runs_text() -> str:
    """How many runs go on and wait, of all agents."""
    statuses = list(Run.objects.filter(status__in=ACTIVE).values_list("status", flat=True)[:1000])
    active, paused = statuses.count(RunStatus.RUNNING), statuses.count(RunStatus.PAUSED)
    told = [
        ngettext("{count} run active", "{count} runs active", active).format(count=active),
        _("{count} queued").format(count=statuses.count(RunStatus.CREATED)),
        *([_("{count} paused").format(count=paused)] if paused else []),
    ]
    return " · ".join(told)


def runs_fragment() -> Fragment:
    return Fragment("status-runs", "ade/partials/_status_fact.html", {"id": "runs", "text": runs_text()})


@dataclass(frozen=True, slots=True)
class WorkspaceCounts:
    """``shared_blocks`` are those that several agents hold, ``active_runs`` those that a worker executes,
    ``open_batches`` those that have not ended."""

    agents: int
    shared_blocks: int
    tools: int
    folders: int
    mcp_servers: int
    groups: int
    active_runs: int
    open_batches: int


_COUNTS = """
SELECT (SELECT count(*) FROM agent WHERE NOT hidden),
    (SELECT count(*) FROM (SELECT 1 FROM agent_block GROUP BY block_id HAVING count(*) > 1) AS shared),
    (SELECT count(*) FROM tool),
    (SELECT count(*) FROM folder),
    (SELECT count(*) FROM mcp_server),
    (SELECT count(*) FROM agent_group WHERE NOT hidden),
    (SELECT count(*) FROM run WHERE status = 'running'),
    (SELECT count(*) FROM batch WHERE completed_at IS NULL)
"""


def workspace_counts() -> WorkspaceCounts:
    return WorkspaceCounts(*pipeline.run_sync([Statement(_COUNTS, ())])[0][0])


def workspace_fragment(section: str) -> Fragment:
    """The counts in the outline of the page of ``section``."""
    context = {"section": section, "workspace": workspace_counts()}
    return Fragment("nav-workspace", "ade/partials/_nav_workspace.html", context)


def sandbox_status() -> SandboxStatus:
    """The web process's sandbox, found out at the first page that asks."""
    try:
        return async_to_sync(_chosen)()
    except TimeoutError:
        return SandboxStatus("none", available=False, reason=_("Still looking for a sandbox."))


async def _chosen() -> SandboxStatus:
    return (await asyncio.wait_for(sandbox(), _CHOOSING_S)).status()


def sandbox_text(status: SandboxStatus) -> str:
    if not status.available:
        return _("sandbox: none, tools are refused")
    told = _("sandbox: {name}, warm") if status.warm else _("sandbox: {name}")
    return told.format(name=status.name)
