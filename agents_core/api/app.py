"""The REST API, compatible with the Letta V1 API as its 1.x clients use it (contract: wire, routes)."""

from ninja import NinjaAPI

from agents_core import __version__
from agents_core.api import errors
from agents_core.api.parser import StrictParser
from agents_core.api.routers import (
    agents,
    archives,
    batches,
    blocks,
    branches,
    compactions,
    comparisons,
    conversations,
    core_memory,
    debugger,
    experiments,
    folders,
    groups,
    mcp_servers,
    messages,
    misc,
    models,
    previews,
    runs,
    schedules,
    steps,
    tools,
    watches,
)

api = NinjaAPI(
    title="Mnemoscope",
    version=__version__,
    description="Stateful agents and their memory. Compatible with the Letta V1 API.",
    urls_namespace="v1",
    docs_url=None,
    openapi_url=None,
    parser=StrictParser(),
)
errors.install(api)

# The order counts where addresses overlap: fixed words go before ids.
api.add_router("", misc.router)
api.add_router("/agents", messages.agent_router)
api.add_router("/agents", core_memory.router)
api.add_router("/agents", archives.agent_router)
api.add_router("/agents", tools.agent_router)
api.add_router("/agents", groups.agent_router)
api.add_router("/agents", schedules.router)
api.add_router("/agents", compactions.agent_router)
api.add_router("/agents", branches.agent_router)
api.add_router("/agents", folders.agent_router)
api.add_router("/agents", previews.router)
api.add_router("/agents", debugger.agent_router)
api.add_router("/agents", watches.router)
api.add_router("/agents", agents.router)
api.add_router("/breakpoints", debugger.router)
api.add_router("/blocks", blocks.router)
api.add_router("/archives", archives.router)
api.add_router("/folders", folders.router)
api.add_router("/groups", groups.router)
api.add_router("/passages", archives.passages_router)
api.add_router("/tools/mcp/servers", mcp_servers.by_name)
api.add_router("/tools", tools.router)
api.add_router("/mcp-servers", mcp_servers.router)
api.add_router("/messages/batches", batches.router)
api.add_router("/messages", messages.router)
api.add_router("/runs", runs.router)
api.add_router("/steps", steps.router)
api.add_router("/comparisons", comparisons.router)
api.add_router("/experiments", experiments.router)
api.add_router("/conversations", conversations.router)
api.add_router("/models", models.router)
