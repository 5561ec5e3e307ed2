"""The agent as a tool sees it: plain objects, changed at will; what became of its blocks is read when the call has ended."""

from typing import Any

_OFFERED = ("agent_state", "self", "agent_id", "client")
_FACTS = "id, name, agent_type, description, system, model, tags, metadata, timezone"


class Block:
    """A memory block. ``value`` may be set."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.__dict__.update(facts)
        self.value: str = facts["value"]
        self.label: str = facts["label"]

    def __repr__(self) -> str:
        return f"Block(label={self.label!r}, value={self.value!r})"


class Memory:
    """Core memory. A change becomes an edit of the running step when the tool has returned."""

    def __init__(self, blocks: list[Block]) -> None:
        self.blocks = blocks

    def get_block(self, label: str) -> Block:
        """Raises ``KeyError`` naming the labels there are."""
        for block in self.blocks:
            if block.label == label:
                return block
        raise KeyError(f"there is no memory block labelled {label!r}; blocks: {', '.join(self.list_block_labels())}")

    def get_blocks(self) -> list[Block]:
        return self.blocks

    def list_block_labels(self) -> list[str]:
        return [block.label for block in self.blocks]

    def update_block_value(self, label: str, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"the value of a memory block is text, not {type(value).__name__}")
        self.get_block(label).value = value


class AgentState:
    """The agent that called the tool."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.__dict__.update(facts)
        self.id: str = facts["id"]
        self.blocks = [Block(block) for block in facts["blocks"]]
        self.memory = Memory(self.blocks)
        self.tools: list[Any] = []
        self.tool_rules: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"agent_state has no {name}; it has: {_FACTS}, blocks, memory")


class Blocks:
    def __init__(self, state: AgentState) -> None:
        self._state = state

    def list(self, agent_id: str | None = None) -> list[Block]:
        return self.of(agent_id).blocks

    def retrieve(self, block_label: str, *, agent_id: str | None = None) -> Block:
        return self.of(agent_id).memory.get_block(block_label)

    def update(self, block_label: str, *, value: str, agent_id: str | None = None) -> Block:
        memory = self.of(agent_id).memory
        memory.update_block_value(block_label, value)
        return memory.get_block(block_label)

    modify = update

    def of(self, agent_id: str | None) -> AgentState:
        """Raises ``PermissionError`` for another agent."""
        if agent_id not in {None, self._state.id}:
            raise PermissionError(f"a tool reaches the memory of the agent that calls it only, not of {agent_id}")
        return self._state


class _Agents:
    def __init__(self, state: AgentState) -> None:
        self._state = state
        self.blocks = self.core_memory = Blocks(state)

    def retrieve(self, agent_id: str | None = None) -> AgentState:
        return self.blocks.of(agent_id)


class Client:
    """As much of a client of the API as an agent's own memory needs: ``client.agents.blocks`` and ``client.agents.retrieve``."""

    def __init__(self, state: AgentState) -> None:
        self.agents = _Agents(state)


class Caller:
    """The agent of one call. Without one, a tool that asks for it gets None."""

    def __init__(self, facts: dict[str, Any] | None) -> None:
        self._before = {block["label"]: block["value"] for block in facts["blocks"]} if facts else {}
        self._state = AgentState(facts) if facts else None

    def injected(self, parameters: tuple[str, ...], args: dict[str, Any]) -> dict[str, Any]:
        """``args`` and what of the agent the function asks for by the names of its ``parameters``."""
        state = self._state
        if state is None:
            return {name: None for name in _OFFERED if name in parameters} | args
        offered = {"agent_state": state, "self": state, "agent_id": state.id, "client": Client(state)}
        return args | {name: offered[name] for name in _OFFERED if name in parameters}

    def changed_blocks(self) -> dict[str, str]:
        """The new texts of blocks, by label. Raises ``TypeError`` for a value that is no text."""
        blocks = self._state.blocks if self._state else []
        changed = {block.label: block.value for block in blocks if self._before.get(block.label) != block.value}
        for label, value in changed.items():
            if not isinstance(value, str) or label not in self._before:
                raise TypeError(f"the value of the memory block {label!r} has to stay text, and its label what it was")
        return changed
