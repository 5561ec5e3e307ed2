"""Floor 1: a typed view of the ``AGENTS_*`` settings, with units."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from django.conf import settings


@dataclass(frozen=True)
class Conf:
    """What the core reads from the settings.

    Attributes:
        home: the folder of the product's data.
        seal_key: the Fernet key (32 bytes, base64) that seals provider credentials.
        webhook_key: signs the callbacks of runs that have ended.
        sandbox: ``auto``, ``bubblewrap`` or ``landlock``.
        worker_concurrency: runs that one worker executes at once.
        default_model: the handle a new agent gets, such as ``openai/gpt-4o-mini``; empty: the best one available.
        default_embedder: the handle of the embedder of new archives; empty: the best one available.
        web_search: the keys and addresses of web search, by the name of their variable; empty where not set.
        mcp_stdio: whether MCP servers that are programs may be started, with the rights of this process.
    """

    home: Path
    seal_key: bytes
    webhook_key: bytes
    sandbox: Literal["auto", "bubblewrap", "landlock"]
    worker_concurrency: int
    default_model: str
    default_embedder: str
    web_search: dict[str, str]
    mcp_stdio: bool


@cache
def conf() -> Conf:
    """The settings as they were at first call."""
    sandbox: Any = settings.AGENTS_SANDBOX  # one of the three: ade.settings saw to it
    return Conf(
        home=settings.AGENTS_HOME,
        seal_key=settings.AGENTS_SEAL_KEY,
        webhook_key=settings.AGENTS_WEBHOOK_KEY,
        sandbox=sandbox,
        worker_concurrency=settings.AGENTS_WORKER_CONCURRENCY,
        default_model=settings.AGENTS_DEFAULT_MODEL,
        default_embedder=settings.AGENTS_DEFAULT_EMBEDDER,
        web_search=settings.AGENTS_WEB_SEARCH,
        mcp_stdio=settings.AGENTS_MCP_STDIO,
    )
