"""The rule that holds the live pages together: an old page with the fragments of what happened applied equals a page loaded anew."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import unified_diff
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections
from lxml import html

from ade.panels.base import Panel, bind
from agents_core.events.types import StoredEvent, parse
from agents_core.models import Agent, Event
from tests.running import finish

Result = TypeVar("Result")
View = tuple[str, Mapping[str, str]]
"""The slug of a panel, and its parameters."""

BATCHES = (1, 1000)
"""How many events come at once: one at a time, or all. A single event is both."""


def assert_patched_equals_reloaded(agent_id: str, views: Iterable[View], action: Callable[[], Any]) -> None:
    """Draws the panels, each with its parameters, does ``action``, patches the old panels in batches of several sizes,
    and compares with panels drawn anew."""
    old = drawn(agent_id, views)
    seq = Agent.objects.get(id=agent_id).event_seq
    action()
    assert_catches_up(agent_id, old, seq)


def drawn(agent_id: str, views: Iterable[View]) -> list[tuple[View, str]]:
    """The panels as they are now."""

    def draw() -> list[tuple[View, str]]:
        agent = _agent(agent_id)
        return [(view, _bound(agent, view).render()) for view in views]

    return as_served(draw)


def assert_catches_up(agent_id: str, old: Iterable[tuple[View, str]], seq: int) -> None:
    """Patches the drawn panels with the events after ``seq``, in batches of several sizes, and compares with panels drawn anew."""
    events = _events_after(agent_id, seq)
    assert events, "the action told nobody"

    def compare() -> None:
        agent = _agent(agent_id)
        for view, then in old:
            _compare(agent, view, then, events)

    as_served(compare)


def assert_drawn_whole_is_as_reloaded(agent_id: str, views: Iterable[View]) -> None:
    def compare() -> None:
        agent = _agent(agent_id)
        for view in views:
            panel = _bound(agent, view)
            sent = panel.whole().rendered()
            assert sent["id"] == panel.dom_id, view
            patched, fresh = (_normal(html.fragment_fromstring(drawn)) for drawn in (sent["html"], panel.render()))
            assert patched == fresh, f"panel {view}:\n{_difference(patched, fresh)}"

    as_served(compare)


def as_served(work: Callable[[], Result]) -> Result:
    """``work`` in a thread beside an event loop, as the web server calls it: what awaits in it does so on that loop."""

    def closing() -> Result:
        try:
            return work()
        finally:
            connections.close_all()

    return finish(sync_to_async(closing, thread_sensitive=False)())


def _compare(agent: Agent, view: View, old: str, events: Sequence[StoredEvent]) -> None:
    panel = _bound(agent, view)
    is_drawn_whole = type(panel).fragments is Panel.fragments
    if is_drawn_whole and any(event.event.type in panel.follows for event in events):
        return  # As it is now: see ``assert_drawn_whole_is_as_reloaded``.
    fresh = _normal(html.fragment_fromstring(panel.render()))
    for size in BATCHES[-1:] if is_drawn_whole or len(events) == 1 else BATCHES:
        page = html.fragment_fromstring(f"<div>{old}</div>")
        for start in range(0, len(events), size):
            for fragment in _bound(agent, view).fragments(events[start : start + size]):
                _apply(page, fragment.rendered())
        patched = _normal(page[0])
        assert patched == fresh, f"panel {view}, events in batches of {size}:\n{_difference(patched, fresh)}"


def _difference(patched: str, fresh: str) -> str:
    return "\n".join(unified_diff(patched.splitlines(), fresh.splitlines(), "patched", "reloaded", lineterm="", n=4))


def _agent(agent_id: str) -> Agent:
    return Agent.objects.get(id=agent_id)


def _bound(agent: Agent, view: View) -> Panel:
    slug, params = view
    return bind(slug, agent, params)


def _events_after(agent_id: str, seq: int) -> Sequence[StoredEvent]:
    rows = Event.objects.filter(agent_id=agent_id, seq__gt=seq).order_by("seq")
    return [StoredEvent(row.seq, parse(row.type, row.payload), row.run_id, row.step_id, row.created_at) for row in rows]


def _apply(page: html.HtmlElement, message: dict[str, Any]) -> None:
    """As static/ade/js/patch.js does."""
    present = next(iter(page.xpath("//*[@id=$id]", id=message["id"])), None)
    if message["swap"] == "remove":
        if present is not None:
            present.drop_tree()
        return
    node = html.fragment_fromstring(message["html"])
    assert node.get("id") == message["id"], "a fragment renders one element with its own id"
    if present is not None:
        present.getparent().replace(present, node)
        return
    target = next(iter(page.xpath("//*[@id=$id]", id=message.get("target", ""))), None)
    if target is not None:
        target.insert(0 if message["swap"] == "prepend" else len(target), node)


def _normal(node: html.HtmlElement) -> str:
    """The element as text that does not depend on white space between elements."""
    lines: list[str] = []
    _write(node, 0, lines)
    return "\n".join(lines)


def _write(node: html.HtmlElement, depth: int, lines: list[str]) -> None:
    if not isinstance(node.tag, str):
        return
    attributes = " ".join(f'{name}="{" ".join(value.split())}"' for name, value in sorted(node.items()))
    lines.append(f"{'  ' * depth}<{node.tag} {attributes}>")
    for text, child in [(node.text, None), *((child.tail, child) for child in node)]:
        if child is not None:
            _write(child, depth + 1, lines)
        if text and text.strip():
            lines.append(f"{'  ' * (depth + 1)}{' '.join(text.split())}")
