"""What is deleted takes with it all that refers to it, whichever tables there are."""

import re

import pytest
from django.db import connection

from agents_core.actions import deletions

_REFERENCES = """
SELECT child.relname, parent.relname FROM pg_constraint
JOIN pg_class AS child ON child.oid = conrelid JOIN pg_class AS parent ON parent.oid = confrelid
WHERE contype = 'f' AND parent.relname = ANY (%s) AND child.relname <> parent.relname
"""
_BY_THE_ORM = {"agent_group", "group_turn"}  # with the groups that it leads


def named(*statements: tuple[str, ...]) -> set[str]:
    """The tables that the statements change."""
    return {match for each in statements for sql in each for match in re.findall(r"^(?:UPDATE|DELETE FROM) (\w+)", sql)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("parents", "statements"),
    [
        (["agent", "step", "run", "conversation"], (deletions._LET_GO_OF_STEPS, deletions._OF_AGENT)),
        (["step", "run"], (deletions._LET_GO_OF_STEPS, deletions._OF_RUN)),
    ],
    ids=["agent", "run"],
)
def test_every_table_that_refers_to_it_is_let_go_of(
    parents: list[str], statements: tuple[tuple[str, ...], ...]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_REFERENCES, [parents])
        referring = {child for child, _ in cursor.fetchall()}
    assert referring - _BY_THE_ORM - named(*statements) == set()
