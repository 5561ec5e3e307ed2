from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say() -> None:
    output = StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=output)
    except SystemExit:
        pytest.fail(f"Run makemigrations:\n{output.getvalue()}")


@pytest.mark.django_db
def test_no_table_has_an_index_for_parts_of_ids() -> None:
    """Django makes one for each text key: a migration that adds such a key has to drop it (0008)."""
    tables = [model._meta.db_table for model in apps.get_app_config("agents_core").get_models()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = ANY(%s) AND indexdef LIKE '%%_pattern_ops%%'", (tables,)
        )
        assert cursor.fetchall() == []
