"""What a server's tool gave, as the text that an agent reads."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.types import CallToolResult

_BYTES_IN_BASE64 = 0.75


def text_of(result: "CallToolResult") -> str:
    """Its texts; pictures, sounds and files by what they are and how large; its structured value where there is no text."""
    parts = [_part(each) for each in result.content]
    if not any(parts) and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False, default=str)
    return "\n".join(part for part in parts if part)


def _part(content: Any) -> str:
    match content.type:
        case "text":
            return str(content.text)
        case "image" | "audio":
            return f"[{content.type}, {content.mime_type}, {_size(content.data)}: not shown]"
        case "resource_link":
            said = f": {content.description}" if content.description else ""
            return f"[link to {content.uri}{said}]"
        case "resource":
            return _resource(content.resource)
    return f"[{content.type}: not shown]"


def _resource(resource: Any) -> str:
    text = getattr(resource, "text", None)
    if text is not None:
        return f"[{resource.uri}]\n{text}"
    return f"[{resource.uri}, {resource.mime_type or 'unknown type'}, {_size(resource.blob)}: not shown]"


def _size(base64: str) -> str:
    return f"{int(len(base64) * _BYTES_IN_BASE64):,} bytes"
