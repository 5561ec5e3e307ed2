from django.apps import AppConfig


class AgentsCoreConfig(AppConfig):
    name = "agents_core"
    label = "agents_core"
    verbose_name = "Agents"
    default_auto_field = "django.db.models.BigAutoField"
