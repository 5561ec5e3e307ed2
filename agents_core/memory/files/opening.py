"""Opening and closing files for an agent: statements for its own transaction, which locks the agent first."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents_core.memory.files.views import View
from agents_core.models.pipeline import Rows, Statement

_NAMED = (
    "(SELECT folder.name || '/' || file.name FROM file JOIN folder ON folder.id = folder_id WHERE file.id = file_id)"
)
_OPEN = """
UPDATE agent_file SET is_open = true, view = %s, start_line = %s, end_line = %s, last_accessed_at = clock_timestamp(),
    updated_at = clock_timestamp()
WHERE agent_id = %s AND file_id = %s
"""
_CLOSE = (
    "UPDATE agent_file SET is_open = false, view = '', updated_at = clock_timestamp() WHERE agent_id = %s AND is_open"
)
_CLOSE_OTHERS = f"{_CLOSE} AND file_id <> ALL(%s) RETURNING {_NAMED}"
_CLOSE_ONE = f"{_CLOSE} AND file_id = %s RETURNING {_NAMED}"
_CLOSE_OLDEST = f"""
{_CLOSE} AND id NOT IN (
    SELECT id FROM agent_file WHERE agent_id = %s AND is_open ORDER BY last_accessed_at DESC NULLS LAST, id
    LIMIT (SELECT max_files_open FROM agent WHERE id = %s)
) RETURNING {_NAMED}
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file of the agent's, and what it is to see of it."""

    file_id: str
    view: View


def open_statements(agent_id: str, opened: Sequence[Opened], *, close_others: bool = False) -> list[Statement]:
    """Opens files, the last of them as the latest used. The last statement closes those that are longest unused beyond what the agent
    may have open, and gives their names."""
    ids = [each.file_id for each in opened]
    return [
        *([Statement(_CLOSE_OTHERS, (agent_id, ids))] if close_others else []),
        *(
            Statement(_OPEN, (each.view.text, each.view.start, each.view.end, agent_id, each.file_id))
            for each in opened
        ),
        Statement(_CLOSE_OLDEST, (agent_id, agent_id, agent_id)),
    ]


def close_statement(agent_id: str, file_id: str | None = None) -> Statement:
    """Closes one file, or all; gives the names of those that were open."""
    return Statement(_CLOSE_OTHERS, (agent_id, [])) if file_id is None else Statement(_CLOSE_ONE, (agent_id, file_id))


def names(rows: Rows) -> list[str]:
    """The names that a closing statement gives."""
    return [name for (name,) in rows]
