"""Who may have programs started as MCP servers, when the operator has said nothing, and when they have."""

import os
import subprocess
import sys

import pytest

CODE = "from django.conf import settings; print(settings.AGENTS_MCP_STDIO)"


@pytest.mark.parametrize(
    ("environment", "allowed"),
    [
        ({}, True),
        ({"HOST": "localhost"}, True),
        ({"HOST": "0.0.0.0"}, False),
        ({"HOST": "192.168.1.5"}, False),
        ({"ALLOWED_HOSTS": "mnemo.example"}, False),
        ({"ALLOWED_ORIGINS": "https://app.example"}, False),
        ({"MCP_STDIO": "0"}, False),
        ({"HOST": "0.0.0.0", "MCP_STDIO": "1"}, True),
    ],
)
def test_programs_are_started_for_the_people_at_the_machine_or_by_permission(
    environment: dict[str, str], allowed: bool
) -> None:
    own = {
        name: value for name, value in os.environ.items() if name not in {"HOST", "ALLOWED_HOSTS", "ALLOWED_ORIGINS"}
    }
    done = subprocess.run(
        [sys.executable, "-c", CODE], env={**own, **environment}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(allowed)
