"""The page that asks for the server's password, where one is set."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from ade.middleware import address_of
from ade.password import COOKIE, COOKIE_AGE_S, Password, TooManyAttemptsError, server_password


@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    password = server_password()
    if password is None:
        return HttpResponseRedirect("/")
    problem = _problem(request, password) if request.method == "POST" else ""
    if request.method == "GET" or problem:
        return render(request, "ade/login.html", {"problem": problem}, status=403 if problem else 200)
    response = HttpResponseRedirect(_destination(request))
    response.set_cookie(
        COOKIE, password.cookie(), max_age=COOKIE_AGE_S, httponly=True, samesite="Lax", secure=request.is_secure()
    )
    return response


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    response = HttpResponseRedirect("/login")
    response.delete_cookie(COOKIE, samesite="Lax")
    return response


def _problem(request: HttpRequest, password: Password) -> str:
    try:
        right = password.accepts(request.POST.get("password", ""), address_of(request.scope))  # type: ignore[attr-defined]
    except TooManyAttemptsError:
        return _("Too many wrong passwords: wait a minute.")
    return "" if right else _("That is not the password.")


def _destination(request: HttpRequest) -> str:
    wanted = request.GET.get("next", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else "/"
