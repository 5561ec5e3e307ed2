"""Making messages findable in quiet moments, so that a search seldom has to wait for it."""

import logging

from agents_core.errors import AgentsError
from agents_core.llm.base import Embedder
from agents_core.memory import embedders, recall
from agents_core.models import Agent
from agents_core.runtime.providers import endpoint_for_embedding

logger = logging.getLogger(__name__)


async def agent_embedder(handle: str | None) -> Embedder:
    """The embedder of an agent's handle, the default one for None. Raises ``UnknownModel`` and ``InvalidInput``."""
    chosen = handle or embedders.default_handle()
    return embedders.embedder(chosen, await endpoint_for_embedding(chosen))


async def index_messages() -> None:
    """Indexes what is not yet, of all agents. Where an embedder fails the words are in, and the vectors are tried again next time."""
    handles = {agent.id: agent.embedding async for agent in Agent.objects.only("id", "embedding")}
    for agent_id in await recall.pending_agents():
        try:
            embedder = await agent_embedder(handles.get(agent_id))
            while await recall.index_pending(agent_id, embedder):
                pass
        except AgentsError as error:
            logger.info("Messages of %s were indexed by their words only: %s", agent_id, error)
