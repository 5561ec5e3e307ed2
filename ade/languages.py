"""Which language a page is in: what its reader chose, else the first of the browser's that is installed, else English.

The API is not reached by this: its texts are facts of the wire, in English.
"""

from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest, parse_cookie
from django.utils.translation import activate, get_language_from_request

from ade.middleware import Asgi, Receive, Scope, Send


def speaking(pages: Asgi) -> Asgi:
    """``pages`` in the language of who asks. Costs nothing while English is the only one."""
    if len(settings.LANGUAGES) == 1:
        return pages

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        activate(get_language_from_request(_request(scope["headers"])))
        await pages(scope, receive, send)

    return route


def _request(headers: Iterable[tuple[bytes, bytes]]) -> HttpRequest:
    """As much of a request as tells the language."""
    told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    request = HttpRequest()
    request.COOKIES = parse_cookie(told.get("cookie", ""))
    request.META["HTTP_ACCEPT_LANGUAGE"] = told.get("accept-language", "")
    return request
