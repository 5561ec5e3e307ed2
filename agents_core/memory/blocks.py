"""Writes to blocks. Each change of what the agent sees makes a version, and no writer overwrites another unseen."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from agents_core.errors import Conflict, InvalidInput, NotFound
from agents_core.memory.edits import within_limit
from agents_core.memory.render import BlockFacts
from agents_core.models import AgentBlock, Author, Block, BlockVersion
from agents_core.models.pipeline import Statement

VERSIONED = ("label", "value", "description", "limit", "read_only")
"""The fields that the agent sees: a change of one makes a version."""

LONGEST_LABEL = 255
UNVERSIONED = ("metadata", "tags", "hidden", "is_template", "template_name", "review")


def create(author: Author, **fields: Any) -> Block:
    """A new block and its version 1, in the caller's transaction.

    Raises ``InvalidInput`` for an empty or long label or an unknown field, ``BlockLimitError`` for a value over the limit.
    """
    return create_many(author, [fields])[0]


def create_many(author: Author, several: Sequence[Mapping[str, Any]]) -> list[Block]:
    """As ``create``, of several blocks in two statements; none is made when one cannot be."""
    for fields in several:
        _check_names(fields)
    blocks = [Block(**fields) for fields in several]
    for block in blocks:
        _check_values(block)
    with transaction.atomic():
        Block.objects.bulk_create(blocks)
        BlockVersion.objects.bulk_create([_version_of(block, author) for block in blocks])
    return blocks


def write(
    block_id: str,
    changes: Mapping[str, Any],
    author: Author,
    expected_version: int | None,
    agent_id: str | None = None,
    step_id: str | None = None,
    tool_call_id: str | None = None,
    restored: int | None = None,
) -> Block:
    """The block with ``changes`` made, in the caller's transaction. Nothing is written when nothing changes.

    Args:
        changes: field to value, of ``VERSIONED`` and ``UNVERSIONED``.
        expected_version: the version that the change was made from; None writes over whatever stands there.
        agent_id, step_id, tool_call_id: the agent's call, when an agent writes.
        restored: the older version that ``changes`` bring back, whose authors the text has again.

    Raises ``Conflict`` (data: ``block_id``, ``expected_version``, ``version``) when another writer was first, or when
    a new label is taken in an agent that holds the block; ``NotFound``; ``InvalidInput``; ``BlockLimitError``.
    A read-only block may be written here: the mark binds agents (``edits.checked``), not people.
    """
    _check_names(changes)
    with transaction.atomic():
        block = _locked(block_id)
        if expected_version not in (None, block.version):
            raise Conflict(
                f"Block {block.label!r} was changed meanwhile: it is at version {block.version}, and this change was "
                f"made from version {expected_version}. Read it again and repeat the change.",
                block_id=block.id,
                expected_version=expected_version,
                version=block.version,
            )
        changed = {name: value for name, value in changes.items() if getattr(block, name) != value}
        if changed:
            _apply(block, changed)
        if changed.keys() & set(VERSIONED):
            _version_of(block, author, agent_id, step_id, tool_call_id, restored).save()
    return block


def history(block_id: str) -> QuerySet[BlockVersion]:
    """The versions of a block, newest first."""
    return BlockVersion.objects.filter(block_id=block_id).order_by("-version")


def restore(block_id: str, version: int, author: Author, expected_version: int | None = None) -> Block:
    """The block as it stood at ``version``, as a new version. Raises as ``write``, and ``NotFound`` for the version."""
    kept = BlockVersion.objects.filter(block_id=block_id, version=version).first()
    if kept is None:
        raise NotFound(f"Block {block_id} has no version {version}.")
    fields = {name: getattr(kept, name) for name in VERSIONED}
    return write(block_id, fields, author, expected_version, restored=version)


def write_statements(
    block_id: str,
    changes: Mapping[str, Any],
    author: Author,
    expected_version: int,
    agent_id: str | None = None,
    step_id: str | None = None,
    tool_call_id: str | None = None,
) -> list[Statement]:
    """The same write for a batch: one statement, whose row holds the new version. No row means a conflict.

    ``changes`` holds fields of ``VERSIONED``; whether they may be written (``edits.checked``) is the caller's to ask.
    """
    unknown = changes.keys() - set(VERSIONED)
    if unknown or not changes:
        raise InvalidInput(f"A batch writes fields of {', '.join(VERSIONED)}; given: {', '.join(sorted(changes))}.")
    assignments = ", ".join(f'"{name}" = %s' for name in changes)
    relabelled = _RELABELLED if "label" in changes else ""
    return [
        Statement(
            _WRITE.format(assignments=assignments, relabelled=relabelled),
            (*changes.values(), block_id, expected_version, author, agent_id, step_id, tool_call_id),
        )
    ]


_WRITE = """
WITH written AS (
    UPDATE block SET {assignments}, version = version + 1, updated_at = statement_timestamp()
    WHERE id = %s AND version = %s
    RETURNING id, version, label, value, description, "limit", read_only
){relabelled}
INSERT INTO block_version (block_id, version, label, value, description, "limit", read_only,
                           author, agent_id, step_id, tool_call_id, created_at)
SELECT written.*, %s, %s, %s, %s, statement_timestamp() FROM written
RETURNING version
"""

_RELABELLED = """, relabelled AS (
    UPDATE agent_block SET label = written.label FROM written WHERE agent_block.block_id = written.id
)"""


def creation_statements(
    facts: BlockFacts, author: Author, agent_id: str, step_id: str | None, tool_call_id: str | None
) -> list[Statement]:
    """The statements that make a block with its version 1 and give it to an agent, for a batch."""
    own = (facts.label, facts.value, facts.description, facts.limit, facts.read_only)
    return [
        Statement(_CREATE, (facts.id, *own)),
        Statement(_FIRST_VERSION, (facts.id, *own, author, agent_id, step_id, tool_call_id)),
        Statement(
            "INSERT INTO agent_block (agent_id, block_id, label) VALUES (%s, %s, %s)", (agent_id, facts.id, facts.label)
        ),
    ]


_CREATE = """
INSERT INTO block (id, label, value, description, "limit", read_only, review, metadata, tags, hidden, is_template, version)
VALUES (%s, %s, %s, %s, %s, %s, false, '{}', '{}', false, false, 1)
"""
_FIRST_VERSION = """
INSERT INTO block_version (block_id, version, label, value, description, "limit", read_only, author, agent_id, step_id, tool_call_id)
VALUES (%s, 1, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def detachment_statement(agent_id: str, block_id: str) -> Statement:
    """The statement that takes a block from an agent; it fails with SerializationFailure when the agent does not hold it any more."""
    return Statement(_DETACH, (agent_id, block_id))


_DETACH = """
WITH gone AS (DELETE FROM agent_block WHERE agent_id = %s AND block_id = %s RETURNING id)
SELECT ensure(EXISTS (SELECT 1 FROM gone), 'block detached meanwhile')
"""


def proposal_statements(
    proposal_id: str,
    block_id: str,
    base_version: int,
    value: str,
    agent_id: str,
    step_id: str,
    tool_call_id: str,
    *,
    extends: bool,
) -> list[Statement]:
    """The statements that make a proposal for a block, or put ``value`` into the pending one of that id, for a batch.

    They fail with SerializationFailure when the block is not at ``base_version`` or no longer under review, or when the
    proposal to extend was decided meanwhile. The agent's older proposal for the block, if one is pending, is outdated by a new one.
    """
    at_base = Statement(_AT_BASE, (block_id, base_version))
    if extends:
        return [at_base, Statement(_EXTEND, (value, step_id, tool_call_id, proposal_id))]
    made = (proposal_id, block_id, base_version, value, agent_id, step_id, tool_call_id)
    return [at_base, Statement(_OUTDATE, (block_id, agent_id)), Statement(_PROPOSE, made)]


_AT_BASE = """
SELECT ensure(EXISTS (SELECT 1 FROM block WHERE id = %s AND version = %s AND review FOR SHARE), 'block changed')
"""
_EXTEND = """
WITH extended AS (
    UPDATE block_proposal SET value = %s, step_id = %s, tool_call_id = %s WHERE id = %s AND status = 'pending' RETURNING id
)
SELECT ensure(EXISTS (SELECT 1 FROM extended), 'proposal decided')
"""
_OUTDATE = """
UPDATE block_proposal SET status = 'outdated', decided_at = now() WHERE block_id = %s AND agent_id = %s AND status = 'pending'
"""
_PROPOSE = """
INSERT INTO block_proposal (id, block_id, base_version, value, agent_id, step_id, tool_call_id, status)
VALUES (%s, %s, %s, %s, %s, %s, %s, 'pending')
"""


def not_under_review(block_id: str) -> Statement:
    """The statement that fails with SerializationFailure when a person reviews what is written to the block."""
    return Statement(_NO_REVIEW, (block_id,))


_NO_REVIEW = "SELECT ensure(NOT EXISTS (SELECT 1 FROM block WHERE id = %s AND review), 'block is reviewed')"


def _locked(block_id: str) -> Block:
    block = Block.objects.select_for_update().filter(id=block_id).first()
    if block is None:
        raise NotFound(f"There is no block {block_id}.")
    return block


def _apply(block: Block, changed: Mapping[str, Any]) -> None:
    for name, value in changed.items():
        setattr(block, name, value)
    _check_values(block)
    if changed.keys() & set(VERSIONED):
        block.version += 1
    if "label" in changed:
        _relabel(block)
    block.save(update_fields={*changed, "version"})


def _relabel(block: Block) -> None:
    links = AgentBlock.objects.filter(block=block)
    namesakes = AgentBlock.objects.filter(agent__in=links.values("agent"), label=block.label).exclude(block=block)
    if (taken := namesakes.first()) is not None:
        raise Conflict(
            f"Agent {taken.agent_id} already has a block labelled {block.label!r}: choose another label.",
            block_id=taken.block_id,
            agent_id=taken.agent_id,
        )
    links.update(label=block.label)


def _version_of(
    block: Block,
    author: Author,
    agent_id: str | None = None,
    step_id: str | None = None,
    tool_call_id: str | None = None,
    restored: int | None = None,
) -> BlockVersion:
    seen = {name: getattr(block, name) for name in VERSIONED}
    return BlockVersion(
        block=block,
        version=block.version,
        author=author,
        agent_id=agent_id,
        step_id=step_id,
        tool_call_id=tool_call_id,
        restored=restored,
        **seen,
    )


def _check_names(fields: Mapping[str, Any]) -> None:
    if unknown := fields.keys() - {*VERSIONED, *UNVERSIONED}:
        raise InvalidInput(f"A block has no field {', '.join(sorted(unknown))} that can be written.")


def _check_values(block: Block) -> None:
    if not 0 < len(block.label) <= LONGEST_LABEL:
        raise InvalidInput(f"A block needs a label of at most {LONGEST_LABEL} characters.")
    if "\x00" in block.value + block.label + (block.description or ""):
        raise InvalidInput("A block cannot hold NUL characters: remove them.")
    within_limit(block.value, block.limit)
