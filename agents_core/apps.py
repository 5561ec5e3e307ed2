from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AgentsCoreConfig(AppConfig):
    name = "agents_core"
    label = "agents_core"
    verbose_name = "Agents"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_write_builtin_tools, sender=self)


def _write_builtin_tools(**signal: Any) -> None:
    from agents_core.actions.tools import ensure_builtin_tools

    ensure_builtin_tools()
