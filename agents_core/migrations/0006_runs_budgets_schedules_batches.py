import agents_core.models.base
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agents_core', '0005_compaction_record'),
    ]

    operations = [
        migrations.CreateModel(
            name='Schedule',
            fields=[
                ('id', agents_core.models.base.IdField(prefix='schedule', serialize=False)),
                ('messages', models.JSONField()),
                ('options', models.JSONField(default=dict)),
                ('scheduled_at', models.DateTimeField(null=True)),
                ('cron', models.TextField(null=True)),
                ('next_at', models.DateTimeField(null=True)),
                ('last_sent_at', models.DateTimeField(null=True)),
                ('last_run_id', models.TextField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'db_table': 'schedule',
            },
        ),
        migrations.AddField(
            model_name='agent',
            name='budgets',
            field=models.JSONField(blank=True, default=dict, help_text='What its runs may use; see agents_core.runtime.budgets.'),
        ),
        migrations.AddField(
            model_name='run',
            name='request_key',
            field=models.TextField(null=True),
        ),
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('id', agents_core.models.base.IdField(prefix='job', serialize=False)),
                ('cancel_requested', models.BooleanField(default=False)),
                ('completed_at', models.DateTimeField(null=True)),
                ('callback_url', models.TextField(null=True)),
                ('callback_sent_at', models.DateTimeField(null=True)),
                ('callback_status_code', models.PositiveSmallIntegerField(null=True)),
                ('callback_error', models.TextField(null=True)),
            ],
            options={
                'db_table': 'batch',
                'indexes': [models.Index(condition=models.Q(('completed_at__isnull', True)), fields=['created_at'], name='batch_open'), models.Index(fields=['-created_at', 'id'], name='batch_created')],
            },
        ),
        migrations.AddField(
            model_name='run',
            name='batch',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='runs', to='agents_core.batch'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('batch__isnull', False)), fields=['batch'], name='run_of_batch'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.UniqueConstraint(condition=models.Q(('request_key__isnull', False)), fields=('agent', 'request_key'), name='run_request_once'),
        ),
        migrations.AddField(
            model_name='schedule',
            name='agent',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='schedules', to='agents_core.agent'),
        ),
        migrations.AddIndex(
            model_name='schedule',
            index=models.Index(condition=models.Q(('next_at__isnull', False)), fields=['next_at'], name='schedule_due'),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cron__isnull', False), ('scheduled_at__isnull', True)), models.Q(('cron__isnull', True), ('scheduled_at__isnull', False)), _connector='OR'), name='schedule_once_or_recurring'),
        ),
    ]
