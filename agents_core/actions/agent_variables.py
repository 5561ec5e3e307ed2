"""An agent's variables, one at a time; its tools get them as environment variables."""

from django.db import transaction

from agents_core.actions.agents import locked
from agents_core.actions.tool_environment import MOST_VARIABLES, checked_variables
from agents_core.errors import NotFound, Refused
from agents_core.events.publish import publish
from agents_core.events.types import AgentChanged
from agents_core.models import AgentVariable
from agents_core.models.sealed import seal


def set_agent_variable(agent_id: str, key: str, value: str) -> None:
    """Gives the agent the variable, in place of one of the same name. Raises ``NotFound``, ``Refused``."""
    checked_variables({key: value})
    with transaction.atomic():
        locked(agent_id)
        if AgentVariable.objects.filter(agent=agent_id).exclude(key=key).count() >= MOST_VARIABLES:
            raise Refused(f"An agent may have {MOST_VARIABLES} variables.")
        AgentVariable.objects.update_or_create(agent_id=agent_id, key=key, defaults={"sealed": seal(value)})
        publish(agent_id, AgentChanged(["secrets"]))


def remove_agent_variable(agent_id: str, key: str) -> None:
    """Raises ``NotFound``, also when the agent does not have it."""
    with transaction.atomic():
        locked(agent_id)
        removed, _ = AgentVariable.objects.filter(agent=agent_id, key=key).delete()
        if not removed:
            raise NotFound(f"The agent has no variable {key[:100]!r}: somebody took it away before.")
        publish(agent_id, AgentChanged(["secrets"]))
