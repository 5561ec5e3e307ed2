"""Recall memory: every message an agent ever had, found again by meaning, words and its place in the conversation."""

from agents_core.memory.recall.index import index_pending, index_words, pending_agents
from agents_core.memory.recall.listing import Listing, list_messages
from agents_core.memory.recall.search import MessageHit, RecallSearch, SearchResult, search

__all__ = [
    "Listing",
    "MessageHit",
    "RecallSearch",
    "SearchResult",
    "index_pending",
    "index_words",
    "list_messages",
    "pending_agents",
    "search",
]
