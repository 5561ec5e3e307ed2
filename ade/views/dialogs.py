"""Addresses that take what a form in a dialog sends."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

View = Callable[..., HttpResponse]


def form_of(page: str) -> Callable[[View], View]:
    """Makes of a view one that takes a POST; a browser that only opens its address is led to ``page``, where the form is.

    With a fragment, such as ``/agents#new-agent``, the page opens that dialog (static/ade/js/dialogs.js)."""

    def decorate(view: View) -> View:
        @wraps(view)
        def either(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return view(request, *args, **kwargs) if request.method == "POST" else HttpResponseRedirect(page)

        return require_http_methods(["GET", "HEAD", "POST"])(either)

    return decorate
