"""What an agent sees of the files that it has open, made to fit when its limits change."""

from agents_core.memory.files.opening import Opened, open_statements
from agents_core.memory.files.views import view_of
from agents_core.models import Agent, AgentFile
from agents_core.models.pipeline import run_sync

LIMITS = frozenset({"max_files_open", "per_file_view_window_char_limit"})
"""The fields of an agent that say what it may see of files."""


def refit(agent: Agent) -> None:
    """Shows as much of each open file as the agent may see now, and closes those beyond what it may have open.

    The agent is locked and saved.
    """
    links = AgentFile.objects.filter(agent=agent, is_open=True).select_related("file__content")
    # The longest unused first: each counts as used when it is shown.
    ordered = links.defer("file__content__upload").order_by("last_accessed_at", "-id")
    limit = agent.per_file_view_window_char_limit
    opened = [Opened(link.file_id, view_of(link.file.content.text, link.start_line, None, limit)) for link in ordered]
    run_sync(open_statements(agent.id, opened))
