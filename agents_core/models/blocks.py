"""Blocks of core memory, every version each ever had, and the edits that wait for a person."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Length

from agents_core.models.base import IdField, Timestamped, one_of

models.TextField.register_lookup(Length, "length")


class Block(Timestamped):
    """``limit`` counts characters. ``version`` rises by one with each change of a field that the agent sees.

    ``review``: what a sleep-time agent writes waits as a ``BlockProposal`` until a person accepts it.
    """

    id = IdField("block")
    label = models.TextField()
    value = models.TextField(blank=True, default="")
    limit = models.PositiveIntegerField(default=100_000)
    description = models.TextField(null=True, blank=True)
    read_only = models.BooleanField(default=False)
    review = models.BooleanField(default=False)
    metadata = models.JSONField(default=dict, blank=True)
    tags: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField(), default=list, blank=True)
    hidden = models.BooleanField(default=False)
    is_template = models.BooleanField(default=False)
    template_name = models.TextField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        db_table = "block"
        indexes = (
            models.Index(fields=["label"], name="block_label"),
            models.Index(fields=["-created_at", "id"], name="block_created"),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(value__length__lte=models.F("limit")),
                name="block_within_limit",
            ),
            models.CheckConstraint(condition=~models.Q(label=""), name="block_label_given"),
        )

    def __str__(self) -> str:
        return self.label


class Author(models.TextChoices):
    AGENT = "agent"
    SLEEPTIME = "sleeptime"
    PERSON = "person"
    API = "api"
    IMPORT = "import"


class BlockVersion(models.Model):
    """The block as it stood after a change, who made it and where. Version 1 is its creation.

    ``agent``, ``step`` and ``tool_call_id`` are set when an agent made the change; ``branch`` when the agent went to another one.
    ``restored``: the older version that this one brought back, whose authors its sentences have again.
    """

    block = models.ForeignKey(Block, models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    label = models.TextField()
    value = models.TextField(blank=True)
    description = models.TextField(null=True)
    limit = models.PositiveIntegerField()
    read_only = models.BooleanField(default=False)
    author = models.TextField(choices=Author)
    agent = models.ForeignKey("Agent", models.SET_NULL, null=True, related_name="+")
    step = models.ForeignKey("Step", models.SET_NULL, null=True, related_name="block_versions")
    tool_call_id = models.TextField(null=True)
    branch = models.ForeignKey("Branch", models.SET_NULL, null=True, related_name="block_versions")
    restored = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "block_version"
        ordering = ("block", "version")
        constraints = (
            models.UniqueConstraint(fields=["block", "version"], name="block_version_once"),
            one_of("author", Author, "block_version_author_known"),
        )

    def __str__(self) -> str:
        return f"{self.label} v{self.version}"


class ProposalStatus(models.TextChoices):
    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    OUTDATED = "outdated"


class BlockProposal(models.Model):
    """What a sleep-time agent would have in a block under review in place of version ``base_version``.

    An agent has at most one pending proposal for a block: while the block stays as it is, further edits are added to it; once the block
    has changed, the next edit makes a new proposal and the older one is outdated.
    """

    id = IdField("proposal")
    block = models.ForeignKey(Block, models.CASCADE, related_name="proposals")
    base_version = models.PositiveIntegerField()
    value = models.TextField(blank=True)
    agent = models.ForeignKey("Agent", models.SET_NULL, null=True, related_name="+")
    step = models.ForeignKey("Step", models.SET_NULL, null=True, related_name="+")
    tool_call_id = models.TextField(null=True)
    status = models.TextField(choices=ProposalStatus, default=ProposalStatus.PENDING)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "block_proposal"
        ordering = ("-created_at", "id")
        constraints = (
            one_of("status", ProposalStatus, "block_proposal_status_known"),
            models.UniqueConstraint(
                fields=["block", "agent"],
                condition=models.Q(status=ProposalStatus.PENDING),
                name="block_proposal_pending_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.block_id} from v{self.base_version}: {self.status}"
