import django.db.models.deletion
from django.db import migrations, models

# A search reads its postings from the index alone.
COVERING = """
ALTER TABLE {table} DROP CONSTRAINT {table}_pkey,
    ADD PRIMARY KEY ({owner}, lexeme, {document}) INCLUDE (frequency, length)
"""
PLAIN = "ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY ({owner}, lexeme, {document})"
TABLES = (
    {"table": "passage_term", "owner": "archive_id", "document": "passage_id"},
    {"table": "message_term", "owner": "agent_id", "document": "message_id"},
)


class Migration(migrations.Migration):
    dependencies = [("agents_core", "0002_ensure")]
    operations = [
        migrations.RemoveIndex("passage", "passage_of_archive"),
        migrations.AddField("messageterm", "length", models.PositiveIntegerField(default=1), preserve_default=False),
        migrations.AddField("passageterm", "length", models.PositiveIntegerField(default=1), preserve_default=False),
        migrations.AlterField(
            "messagevector",
            "agent",
            models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="agents_core.agent"
            ),
        ),
        migrations.AddIndex(
            "messagevector", models.Index(fields=["agent"], include=("length",), name="message_vector_of_agent")
        ),
        migrations.AddIndex(
            "passage",
            models.Index(
                condition=models.Q(("is_deleted", False)),
                fields=["archive", "created_at", "id"],
                include=("length", "author"),
                name="passage_of_archive",
            ),
        ),
        *(migrations.RunSQL(COVERING.format(**names), PLAIN.format(**names)) for names in TABLES),
    ]
