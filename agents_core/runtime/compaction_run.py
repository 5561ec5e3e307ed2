"""A run that compacts a thread because somebody asked for it, and says nothing."""

from agents_core.models.pipeline import Statement
from agents_core.runtime.compaction import REQUESTED, compact
from agents_core.runtime.compaction_settings import CompactionSettings, merged
from agents_core.runtime.context import compile_context
from agents_core.runtime.ending import end_run, write_run_end
from agents_core.runtime.persist import Commit
from agents_core.runtime.providers import connections
from agents_core.runtime.state import Turn

NOTHING_TO_COMPACT = "nothing_to_compact"
_NOTHING = "The context holds too few messages for a summary to make them fewer."

_END_OTHER_STEPS = """
UPDATE step SET status = 'failed', stop_reason = 'error', finished_at = now() WHERE run_id = %s AND status = 'pending'
"""


async def compact_and_end(turn: Turn) -> None:
    """Compacts the turn's thread with the settings of its request over the agent's, and ends the run in the same commit.

    The run is cancelled, with the error ``NOTHING_TO_COMPACT``, when no messages could leave.
    """

    def finish(commit: Commit) -> None:
        commit.add(Statement(_END_OTHER_STEPS, (turn.run_id,)))  # of a worker that died
        write_run_end(commit, turn, "completed", "end_turn", keeps_context=True)

    settings = CompactionSettings.of(merged(turn.agent.compaction_settings, turn.request["compaction"]))
    connection = await connections().connect(turn.model)
    window = await compile_context(turn, connection.model, connection.provider_name)
    begun = (turn.step_id, turn.step_number)
    if not await compact(turn, connection, window, REQUESTED, settings, begun=begun, finish=finish):
        error = {"code": NOTHING_TO_COMPACT, "message": _NOTHING, "status": 400}
        await end_run(turn, "cancelled", "cancelled", error)
