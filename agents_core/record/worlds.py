"""The agent as a request was made from it: its settings, and which blocks, tools and archives it held, each at its version.

Kept beside each request as a blob: as long as nothing changes, it is the same one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SETTINGS = (
    "system", "model", "model_settings", "context_window", "embedding", "tool_rules", "compaction_settings", "response_format",
    "message_buffer_autoclear", "timezone", "budgets",
)  # fmt: skip
"""The fields of an agent that its behaviour follows from; its name and its type are its own for good."""


@dataclass(frozen=True, slots=True)
class World:
    """``blocks``: (id, label, version), ``tools``: (id, name), ``archives``: (id, revision), each in the agent's order."""

    settings: Mapping[str, Any]
    blocks: Sequence[tuple[str, str, int]]
    tools: Sequence[tuple[str, str]]
    archives: Sequence[tuple[str, int]]

    def stored(self) -> bytes:
        facts = {name: getattr(self, name) for name in ("settings", "blocks", "tools", "archives")}
        return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def read(cls, stored: bytes) -> "World":
        facts = json.loads(stored)
        held = {name: [tuple(each) for each in facts[name]] for name in ("blocks", "tools", "archives")}
        return cls(facts["settings"], **held)
