"""What a form that begins with what a step saw says to be different."""

from collections.abc import Iterator, Sequence

from django.http import QueryDict

from ade.experiment_page import BlockChoice


def plain_lines(text: str) -> str:
    """A text as it was before a browser sent it."""
    return text.replace("\r\n", "\n")


def changed_blocks(seen: Sequence[BlockChoice], given: QueryDict) -> Iterator[tuple[str, str | None]]:
    """The blocks whose text was changed, by label; None for one to be left out."""
    for choice in seen:
        value = given.get(choice.dom_id)
        if given.get(f"without-{choice.dom_id}"):
            yield choice.label, None
        elif value is not None and plain_lines(value) != plain_lines(choice.value):
            yield choice.label, plain_lines(value)
