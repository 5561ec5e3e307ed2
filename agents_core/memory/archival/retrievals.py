"""How often the searches of an agent gave it a passage, read from the record of searches."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents_core.models.pipeline import Statement, run_sync

SEARCHES = 500
"""Of an agent, the newest that are looked at: each names up to forty candidates."""

_RETRIEVALS = """
SELECT candidate->>'id', count(*), max(step.number)
FROM (
    SELECT candidates, step_id FROM memory_search
    WHERE agent_id = %s AND store = 'archival' ORDER BY id DESC LIMIT %s
) AS search
CROSS JOIN LATERAL jsonb_array_elements(candidates) AS candidate
LEFT JOIN step ON step.id = step_id
WHERE candidate->>'id' = ANY (%s) AND (candidate->>'returned')::boolean
GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Retrievals:
    """``times`` counts searches that returned the passage; ``last_step`` is the number of the last step that made one."""

    times: int
    last_step: int | None


def retrievals(agent_id: str, passage_ids: Sequence[str]) -> dict[str, Retrievals]:
    """By passage, those that the last ``SEARCHES`` searches of the agent returned at least once."""
    [rows] = run_sync([Statement(_RETRIEVALS, (agent_id, SEARCHES, list(passage_ids)))])
    return {passage_id: Retrievals(times, last_step) for passage_id, times, last_step in rows}
