"""Where procrastinate looks for this app's jobs."""

from procrastinate.contrib.django import app

from agents_core.queue.tasks import tasks

app.add_tasks_from(tasks, namespace="agents_core")
