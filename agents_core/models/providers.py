"""Model providers with their sealed keys, mapped handles, and what was learned of each model's tokeniser."""

from django.db import models

from agents_core.models.base import IdField, Timestamped


class ProviderAccount(Timestamped):
    """A provider set up in the settings page. ``name`` is the first half of its model handles; ``kind`` a key of the registry of
    providers; ``sealed_key`` an encrypted API key (agents_core.models.sealed); ``last_check`` the last outcome of its test."""

    id = IdField("provider")
    name = models.TextField(unique=True)
    kind = models.TextField()
    base_url = models.TextField(null=True, blank=True)
    sealed_key = models.BinaryField(null=True)
    last_check = models.JSONField(null=True, blank=True)

    class Meta:
        db_table = "provider_account"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(name__regex=r"^[a-z0-9_-]+$"),
                name="provider_account_name_form",
            ),
        )

    def __str__(self) -> str:
        return self.name


class HandleMapping(models.Model):
    """Calls of ``handle`` go to ``target`` instead, so that old agents and clients work with another model."""

    handle = models.TextField(primary_key=True)
    target = models.TextField()

    class Meta:
        db_table = "handle_mapping"

    def __str__(self) -> str:
        return f"{self.handle} → {self.target}"


class TokenRatio(models.Model):
    """``ratio`` is a moving average of reported over estimated input tokens of a model."""

    handle = models.TextField(primary_key=True)
    ratio = models.FloatField(default=1.0)
    samples = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "token_ratio"

    def __str__(self) -> str:
        return f"{self.handle} {self.ratio:.3f}"
