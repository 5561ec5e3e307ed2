"""Stored messages, for tests of what is shown of them."""

import json
from datetime import UTC, datetime
from typing import Any

MESSAGE_ID = "message-0f0e0d0c-0b0a-4908-8706-0504030201ff"


def stored(role: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": MESSAGE_ID,
        "role": role,
        "content": [],
        "tool_calls": [],
        "tool_returns": [],
        "name": None,
        "otid": None,
        "sender_id": None,
        "step_id": "step-1",
        "run_id": "run-1",
        "created_at": datetime(2026, 1, 1, 10, 0, 0, 123456, tzinfo=UTC),
        **fields,
    }


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def thought(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "reasoning", "reasoning": value, **more}


def call(name: str, number: int = 1, **arguments: Any) -> dict[str, Any]:
    return {"id": f"call_{number}", "name": name, "arguments": json.dumps(arguments)}


def returned(name: str, value: str, number: int = 1, status: str = "success") -> dict[str, Any]:
    return {
        "tool_call_id": f"call_{number}",
        "name": name,
        "status": status,
        "text": f"packed {value}",
        "value": value,
        "stdout": "",
        "stderr": "",
    }
