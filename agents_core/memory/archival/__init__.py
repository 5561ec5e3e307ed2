"""Archival memory: passages without end, found again by meaning and by words."""

from agents_core.registry import Registry

ARCHIVAL_BACKENDS = Registry(
    "archival backend",
    {"pgvector": "agents_core.memory.archival.pgvector:PgvectorBackend"},
)
