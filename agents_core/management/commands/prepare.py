import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from agents_core.management.migrated import remember


class Command(BaseCommand):
    help = "Brings the database up to date, and makes the first administrator, whose password it prints once."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, stdout=self.stdout)
        connection.ensure_connection()
        remember(connection.connection, settings.INSTALLED_APPS)
        self._first_administrator()

    def _first_administrator(self) -> None:
        users = User.objects
        if users.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(12)
        users.create_superuser("admin", password=password)
        self.stdout.write(f"The administrator of /admin/ is 'admin' with the password {password} (shown this once).")
