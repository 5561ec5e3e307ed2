"""What goes wrong with an MCP server, and the words for it."""

from agents_core.errors import AgentsError, Refused

_LONGEST = 600


class McpUnreachable(AgentsError):
    """The server could not be connected to, died, or answered what nobody can read."""

    code = "mcp_connection_error"
    http_status = 502


class McpSignInNeeded(McpUnreachable):
    """The server answers only those who have signed in."""

    code = "oauth_required"


class McpTimeout(McpUnreachable):
    """The server did not answer in time."""

    code = "mcp_timeout"
    http_status = 408


class McpRefused(Refused):
    """The server answered, with an error of its own."""

    code = "mcp_refused"


class ProgramsForbidden(Refused):
    """The operator does not let servers be started here."""

    code = "mcp_stdio_forbidden"

    def __init__(self) -> None:
        super().__init__(
            "MCP servers that are programs are not started here, for whoever adds one may run anything. "
            "The operator allows it with MCP_STDIO=1; a server at an address needs no permission."
        )


def first_cause(error: BaseException) -> BaseException:
    """The error inside the groups that a task group makes of it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def told(error: BaseException, where: str, status: int | None) -> str:
    """Why nothing came of ``where`` (a command or an address), as a sentence. ``status``: the last HTTP status, where there was one."""
    cause = first_cause(error)
    match cause:
        case FileNotFoundError():
            return f"There is no program {where!r} on this machine."
        case PermissionError():
            return f"{where!r} may not be run by this user."
        case _ if status is not None and status >= 400:
            return f"{where} answered with HTTP {status}."
        case _ if type(cause).__name__ in {"ConnectError", "ConnectTimeout"}:
            return f"Nothing answers at {where} ({short(cause)})."
        case _ if is_closed(cause):
            return f"{where} ended before it answered."
    return f"{where} answered what is not MCP ({short(cause)})."


def is_closed(error: BaseException) -> bool:
    """Whether the SDK says that the connection is gone."""
    from mcp_types import CONNECTION_CLOSED

    return bool(getattr(error, "code", None) == CONNECTION_CLOSED)


def short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
