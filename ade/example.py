"""The agent that a first visit begins with: it has been told a little, so that there is something to see."""

from dataclasses import replace

from asgiref.sync import async_to_sync

from agents_core.actions import agents
from agents_core.actions.agent_templates import template
from agents_core.actions.messages import Input, send
from agents_core.models import Agent, Author

TAG = "example"

_TOLD = (
    "My name is Ada and I live in Porto.",
    "Remember that the spare key of the office is with the neighbour on the second floor.",
    "I moved to Lisbon last month.",
    "Where is the spare key?",
)
"""Core memory written and rewritten, a passage stored and found again."""


def make() -> Agent:
    """An agent on the built-in offline model, and what is said to it: the worker answers one after the other."""
    made = template("companion").new_agent(name="example", model="offline/rules", human="")
    agent = agents.create(replace(made, tags=(TAG,)), Author.PERSON)
    for text in _TOLD:
        async_to_sync(send)(agent.id, [Input("user", [{"type": "text", "text": text}])])
    return agent
