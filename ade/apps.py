from django.apps import AppConfig


class AdeConfig(AppConfig):
    name = "ade"
    label = "ade"
    verbose_name = "Development environment"
    default_auto_field = "django.db.models.BigAutoField"
