"""The agent as a tool sees it: plain objects, changed at will; what became of its blocks is read when the call has ended."""

from typing import Any

from agents_core.sandbox.inside.asking import Questions

_OFFERED = ("agent_state", "self", "agent_id", "client")
_MOST_CREATED = 100
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


class Facts:
    """What the server told of a thing, by attribute."""

    def __init__(self, **facts: Any) -> None:
        self.__dict__.update(facts)

    def __repr__(self) -> str:
        return f"Facts({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"

    def model_dump(self) -> dict[str, Any]:
        return dict(self.__dict__)


class Passages:
    """Archival memory. What is created is stored when the tool has returned, and found from the next call on."""

    def __init__(self, blocks: Blocks, questions: Questions, created: list[dict[str, Any]]) -> None:
        self._blocks = blocks
        self._questions = questions
        self._created = created

    def create(self, agent_id: str | None = None, *, text: str, tags: Any = None) -> list[Facts]:
        """The new passage, which has no id yet. Raises ``TypeError`` for what is no text, ``ValueError`` for too many."""
        self._blocks.of(agent_id)
        tags = [] if tags is None else list(tags)
        if not all(isinstance(one, str) for one in (text, *tags)):
            raise TypeError("a passage has a text, and its tags are texts")
        if not text.strip():
            raise ValueError("a passage needs a text")
        if len(self._created) >= _MOST_CREATED:
            raise ValueError(f"a call may create {_MOST_CREATED} passages")
        self._created.append({"text": text, "tags": tags})
        return [Facts(id=None, text=text, tags=tags)]

    def list(self, agent_id: str | None = None, **wanted: Any) -> list[Facts]:
        """By ``search`` in the text, ``limit``, and ``ascending`` by time."""
        self._blocks.of(agent_id)
        return [Facts(**one) for one in self._questions.ask("list_passages", **wanted)]

    def search(self, agent_id: str | None = None, *, query: str, **wanted: Any) -> Facts:
        """``results`` and their ``count``. By ``tags``, ``tag_match_mode``, ``top_k``, ``start_datetime`` and ``end_datetime``."""
        self._blocks.of(agent_id)
        found = [Facts(**one) for one in self._questions.ask("search_passages", query=query, **wanted)]
        return Facts(count=len(found), results=found)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"client.agents.passages has no {name}; it has: create, list, search")


class _Agents:
    def __init__(self, state: AgentState, questions: Questions, created: list[dict[str, Any]]) -> None:
        self._state = state
        self.blocks = self.core_memory = Blocks(state)
        self.passages = Passages(self.blocks, questions, created)

    def retrieve(self, agent_id: str | None = None) -> AgentState:
        return self.blocks.of(agent_id)


class Client:
    """As much of a client of the API as an agent's own memory needs: ``client.agents.blocks``, ``.passages`` and ``.retrieve``."""

    def __init__(self, state: AgentState, questions: Questions, created: list[dict[str, Any]]) -> None:
        self.agents = _Agents(state, questions, created)


class Caller:
    """The agent of one call. Without one, a tool that asks for it gets None."""

    def __init__(self, facts: dict[str, Any] | None, questions: Questions) -> None:
        self._questions = questions
        self._created: list[dict[str, Any]] = []
        self._before = {block["label"]: block["value"] for block in facts["blocks"]} if facts else {}
        self._state = AgentState(facts) if facts else None

    def injected(self, parameters: tuple[str, ...], args: dict[str, Any]) -> dict[str, Any]:
        """``args`` and what of the agent the function asks for by the names of its ``parameters``."""
        state = self._state
        if state is None:
            return {name: None for name in _OFFERED if name in parameters} | args
        client = Client(state, self._questions, self._created)
        offered = {"agent_state": state, "self": state, "agent_id": state.id, "client": client}
        return args | {name: offered[name] for name in _OFFERED if name in parameters}

    def new_passages(self) -> list[dict[str, Any]]:
        """The text and the tags of each passage that it created."""
        return self._created

    def changed_blocks(self) -> dict[str, str]:
        """The new texts of blocks, by label. Raises ``TypeError`` for a value that is no text."""
        blocks = self._state.blocks if self._state else []
        changed = {block.label: block.value for block in blocks if self._before.get(block.label) != block.value}
        for label, value in changed.items():
            if not isinstance(value, str) or label not in self._before:
                raise TypeError(f"the value of the memory block {label!r} has to stay text, and its label what it was")
        return changed
