"""Messages: the recall memory of an agent, and the part of it that is in the context window."""

from django.db import models
from pgvector.django import HalfVectorField

from agents_core.models.base import IdField, of_conversation, one_of


class Role(models.TextChoices):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    APPROVAL = "approval"
    SUMMARY = "summary"


WAITING = 0
"""The context position of a message that enters the context with its run's first answer."""


class Message(models.Model):
    """One stored message. ``seq`` orders the messages of an agent; it is the number of the event that told of it.

    ``content`` is a list of parts: {type: "text", text}, {type: "reasoning", reasoning, signature, redacted},
    {type: "image", media_type, data}; of an approval {type: "approval", tool_call_id, approve, reason} and {type: "tool", tool_call_id,
    status, tool_return, stdout, stderr}. A system message's texts say which part of the prompt they are (kind, source_id, label), a
    summary's what it cost and saved (compaction: {trigger, context_tokens_before …}).
    ``tool_calls``: [{id, name, arguments (JSON text), gated}]: ``gated`` is true, else absent, where the call had to wait for an answer.
    ``tool_returns``: [{tool_call_id, name, status: "success" | "error", text, value, stdout, stderr}]: ``text`` is what the
    model reads, ``value`` the tool's bare result.
    ``context_position`` orders the messages that the thread's next request holds: WAITING for one whose run has not answered yet,
    None for one outside the context. ``indexed`` says whether recall search knows it. ``abandoned``: it stands on a branch that the
    agent has left (agents_core.models.branches), and is not remembered.
    """

    id = IdField("message")
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="messages", db_index=False)
    conversation = models.ForeignKey("Conversation", models.CASCADE, null=True, related_name="messages", db_index=False)
    run = models.ForeignKey("Run", models.SET_NULL, null=True, related_name="messages")
    step = models.ForeignKey("Step", models.SET_NULL, null=True, related_name="messages")
    seq = models.BigIntegerField()
    role = models.TextField(choices=Role)
    content = models.JSONField(default=list)
    tool_calls = models.JSONField(default=list)
    tool_returns = models.JSONField(default=list)
    name = models.TextField(null=True)
    otid = models.TextField(null=True)
    sender_id = models.TextField(null=True)
    context_position = models.BigIntegerField(null=True)
    indexed = models.BooleanField(default=False)
    abandoned = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "message"
        ordering = ("agent", "seq")
        indexes = (
            models.Index(
                fields=["agent", "context_position"],
                condition=models.Q(context_position__isnull=False),
                name="message_in_context",
            ),
            models.Index(
                fields=["agent", "seq"],
                condition=models.Q(indexed=False),
                name="message_to_index",
            ),
            of_conversation("message_of_conversation"),
        )
        constraints = (
            models.UniqueConstraint(fields=["agent", "seq"], name="message_seq_once"),
            one_of("role", Role, "message_role_known"),
        )

    def __str__(self) -> str:
        return f"{self.role} {self.seq}"


class MessageVersion(models.Model):
    """What a message said before it was rewritten; a trigger keeps it, whoever writes. It stood until the event ``until`` of its agent."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="versions", db_index=False)
    until = models.BigIntegerField()
    content = models.JSONField()
    tool_calls = models.JSONField()
    tool_returns = models.JSONField()

    class Meta:
        db_table = "message_version"
        indexes = (models.Index(fields=["message", "until"], name="message_version_of"),)

    def __str__(self) -> str:
        return f"{self.message_id} until {self.until}"


class MessageVector(models.Model):
    """The vectors of an indexed message: of its own text, and of the three turns around it. ``length`` counts terms."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="vector")
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="+", db_index=False)
    embedding = HalfVectorField(null=True)
    window = HalfVectorField(null=True)
    embedding_model = models.TextField(null=True)
    length = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "message_vector"
        indexes = (models.Index(fields=["agent"], include=["length"], name="message_vector_of_agent"),)


class MessageTerm(models.Model):
    """A posting: how often a lexeme stands in a message of ``length`` terms. The index of the key includes both numbers."""

    pk = models.CompositePrimaryKey("agent_id", "lexeme", "message_id")
    # Written together with the message's vectors, whose keys are checked: to check each word's too is most of the time that it takes.
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    lexeme = models.TextField()
    message = models.ForeignKey(Message, models.CASCADE, related_name="terms", db_constraint=False)
    frequency = models.PositiveSmallIntegerField()
    length = models.PositiveIntegerField()

    class Meta:
        db_table = "message_term"
