"""Floor 0: the errors of the core.

Each module defines its own errors next to the code that raises them, as subclasses of the branches here::

    AgentsError                     500  something the project did not foresee
    ├── InvalidInput                422  the caller sent something malformed
    │   └── Refused                 400  well formed, and not possible
    ├── NotFound                    404
    ├── Conflict                    409  somebody else was first
    ├── Unavailable                 503  a part that is needed is absent (a sandbox, a model, a database)
    └── ModelError                  502  a model provider refused or failed       (agents_core.llm.errors)
"""

from typing import Any, ClassVar


class AgentsError(Exception):
    """An error with a stable ``code``, an HTTP status, and the facts a program needs in ``data``.

    The message is for people: it names the cause and what to do next.
    """

    code: ClassVar[str] = "internal_error"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class InvalidInput(AgentsError):
    code = "invalid_input"
    http_status = 422


class Refused(InvalidInput):
    code = "refused"
    http_status = 400


class NotFound(AgentsError):
    code = "not_found"
    http_status = 404


class Conflict(AgentsError):
    code = "conflict"
    http_status = 409


class Unavailable(AgentsError):
    code = "unavailable"
    http_status = 503
