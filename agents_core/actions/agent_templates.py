"""What a person can start an agent from: a few good beginnings."""

from dataclasses import dataclass

from django.utils.translation import gettext_noop

from agents_core.actions.new_agent import NewAgent
from agents_core.errors import NotFound
from agents_core.models import AgentKind

_HUMAN = "What you know about the person you talk with: name, work, family, preferences, plans. Keep it current."
_PERSONA = "Who you are and how you speak."
_MEMORY_TOOLS = ("archival_memory_insert", "archival_memory_search")


@dataclass(frozen=True, slots=True)
class AgentTemplate:
    """``blocks`` are (label, description, value, limit in characters)."""

    slug: str
    title: str
    text: str
    agent_type: str
    blocks: tuple[tuple[str, str, str, int], ...] = ()
    tools: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def new_agent(self, *, name: str | None, model: str | None, human: str) -> NewAgent:
        """An agent made from this template; ``human`` goes into the block of that label."""
        blocks = [
            {
                "label": label,
                "description": description,
                "value": human.strip() if label == "human" and human.strip() else value,
                "limit": limit,
            }
            for label, description, value, limit in self.blocks
        ]
        return NewAgent(
            name=name or None,
            agent_type=self.agent_type,
            model=model or None,
            memory_blocks=blocks,
            tools=self.tools,
            tags=self.tags,
        )


TEMPLATES = {
    template.slug: template
    for template in (
        AgentTemplate(
            "companion",
            gettext_noop("Assistant that remembers"),
            gettext_noop(
                "Gets to know you. Keeps facts in core memory, the rest in archival memory, and searches both."
            ),
            AgentKind.V1,
            (
                ("human", _HUMAN, "", 2000),
                (
                    "persona",
                    _PERSONA,
                    "I am a helpful, curious assistant. I speak plainly and kindly, and I remember what matters.",
                    2000,
                ),
            ),
            _MEMORY_TOOLS,
        ),
        AgentTemplate(
            "memgpt",
            gettext_noop("MemGPT"),
            gettext_noop(
                "As in the paper: acts only by tools, thinks in private, asks for a heartbeat when it wants to go on."
            ),
            AgentKind.MEMGPT,
            (
                ("human", _HUMAN, "", 2000),
                ("persona", _PERSONA, "I am a companion with a memory of my own. I think before I speak.", 2000),
            ),
            _MEMORY_TOOLS,
        ),
        AgentTemplate(
            "research",
            gettext_noop("Research notebook"),
            gettext_noop("Collects findings with tags in archival memory; a block holds the question it works on."),
            AgentKind.V1,
            (
                ("human", _HUMAN, "", 2000),
                (
                    "persona",
                    _PERSONA,
                    "I keep a careful notebook. I separate what was found from what I think, and I name the source.",
                    2000,
                ),
                (
                    "question",
                    "The question under study, what is known so far, and what is open. Rewrite it as you learn.",
                    "",
                    5000,
                ),
            ),
            _MEMORY_TOOLS,
            ("research",),
        ),
        AgentTemplate(
            "blank",
            gettext_noop("Blank"),
            gettext_noop("No blocks, and the kind's own tools. For building from nothing."),
            AgentKind.V1,
        ),
    )
}


def template(slug: str) -> AgentTemplate:
    """The template of that name. Raises ``NotFound``."""
    try:
        return TEMPLATES[slug]
    except KeyError:
        raise NotFound(f"There is no agent template {slug!r}. Known: {', '.join(TEMPLATES)}.") from None
