"""What a person fills in to form a group of agents, or to change one."""

from collections.abc import Sequence
from typing import Any, Self

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ade.address import text
from ade.group_page import FORMED, KINDS
from agents_core.errors import InvalidInput
from agents_core.models import SLEEPTIME_GROUPS, Agent, Group, GroupKind

MOST_MEMBERS = 100
"""More than a person chooses; each of them stands in the address of the form's part that offers agents."""

_OFFERED = 30


def _whole(most: int, said: Any) -> forms.IntegerField:
    """``most`` is what the API takes too, so that no group is there whose form refuses what it holds."""
    errors = dict.fromkeys(("invalid", "min_value", "max_value"), said)
    return forms.IntegerField(required=False, min_value=1, max_value=most, error_messages=errors)


class GroupForm(forms.Form):
    """A group but its agents. ``settings`` is what ``actions.groups`` takes.

    The fields that a kind has no use for are hidden, not cleared: who comes back to the kind finds them as they were.
    """

    manager_type = forms.ChoiceField(choices=[(kind.value, name) for kind, (name, _) in KINDS.items()])
    description = forms.CharField(required=False, max_length=2000)
    max_turns = _whole(1000, gettext_lazy("The most turns is a whole number from 1 to 1,000."))
    termination_token = forms.CharField(required=False, max_length=200)
    sleeptime_agent_frequency = _whole(
        1_000_000,
        gettext_lazy("How often they are called is a whole number of requests from 1 to 1,000,000: 1 is after each."),
    )
    sleeptime_idle_s = _whole(
        365 * 86_400, gettext_lazy("The time it has to be left alone is a whole number of seconds, a year at most.")
    )

    @classmethod
    def of(cls, group: Group | None) -> Self:
        """The form of a new group, or with what ``group`` is now."""
        if group is None:
            return cls(initial={"manager_type": GroupKind.ROUND_ROBIN})
        return cls(initial={name: getattr(group, name) for name in cls.base_fields})

    def settings(self) -> dict[str, Any]:
        """Raises ``InvalidInput`` with what to do instead."""
        if not self.is_valid():
            raise InvalidInput(" ".join(str(error) for errors in self.errors.values() for error in errors))
        found = {**self.cleaned_data, "termination_token": self.cleaned_data["termination_token"] or None}
        if found["manager_type"] not in SLEEPTIME_GROUPS:
            del found["sleeptime_agent_frequency"], found["sleeptime_idle_s"]
        return found


def settings_of(given: QueryDict) -> dict[str, Any]:
    """A group formed here, as ``actions.groups.create`` takes it. Raises ``InvalidInput``."""
    settings = GroupForm(given).settings()
    if settings["manager_type"] not in FORMED:
        raise InvalidInput(_("A group that tends memory is made with the agent that it tends: on its Sleep-time tab."))
    is_led = settings["manager_type"] != GroupKind.ROUND_ROBIN
    leads = text(given, "manager") if is_led else ""
    if is_led and not leads:
        raise InvalidInput(_("Choose who leads: a group of this kind needs one agent that does."))
    return {**settings, "agent_ids": _speaking(given, leads), "manager_id": leads or None}


def changes_of(group: Group, given: QueryDict) -> dict[str, Any]:
    """The same of a group that there is, as ``actions.groups.modify`` takes it. Raises ``InvalidInput``."""
    if group.manager_type not in SLEEPTIME_GROUPS:
        return settings_of(given)
    posted = given.copy()
    posted["manager_type"] = group.manager_type
    settings = GroupForm(posted).settings()
    del settings["max_turns"], settings["termination_token"]
    return {**settings, "agent_ids": _speaking(given, group.manager_id or "")}


def _speaking(given: QueryDict, leads: str) -> list[str]:
    agent_ids = [each for each in ids(given.getlist("members")) if each != leads]
    if not agent_ids:
        raise InvalidInput(_("Choose who speaks: a group needs at least one member."))
    if len(agent_ids) > MOST_MEMBERS:
        raise InvalidInput(_("Choose at most {most} members; the API takes more.").format(most=MOST_MEMBERS))
    return agent_ids


def ids(given: Sequence[str]) -> list[str]:
    """Ids as they can be looked for, each once."""
    return list(dict.fromkeys(each.replace("\x00", "") for each in given if each))


# --- its agents -------------------------------------------------------------------------------------------------------


def offer(given: QueryDict) -> dict[str, Any]:
    """Agents to choose from: the members so far in their order, then those whose name holds ``q``.

    ``earlier`` and ``later`` name a member that changes places with the one before or after it.
    """
    chosen = ids(given.getlist("members"))[:MOST_MEMBERS]
    chosen = moved(moved(chosen, text(given, "earlier"), -1), text(given, "later"), 1)
    return offered(chosen, text(given, "manager"), text(given, "q"), text(given, "manager_type"))


def moved(chosen: Sequence[str], agent_id: str, by: int) -> list[str]:
    """``chosen`` with ``agent_id`` that many places further on; as it was where there is no such place."""
    order = list(chosen)
    if agent_id in order and 0 <= (place := order.index(agent_id) + by) < len(order):
        order.remove(agent_id)
        order.insert(place, agent_id)
    return order


def offered(chosen: Sequence[str], leads: str, words: str = "", kind: str = "") -> dict[str, Any]:
    """What _group_agents.html draws. Who ``leads`` is among them always, and stays in its place while the arrow keys go through them."""
    found = list(Agent.objects.filter(hidden=False, name__icontains=words).order_by("name", "id")[:_OFFERED])
    kept = Agent.objects.in_bulk([*chosen, leads])
    members = [kept[agent_id] for agent_id in chosen if agent_id in kept]
    others = [agent for agent in found if agent.id not in chosen]
    if leads in kept and kept[leads] not in [*members, *found]:
        others.insert(0, kept[leads])
    is_tending = kind in SLEEPTIME_GROUPS
    if is_tending:
        others = [agent for agent in others if agent.id != leads]
    return {"members": members, "others": others, "leads": leads, "is_tending": is_tending}
