"""The settings of the server: its providers of models."""

import json

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ade.status import sandbox_status
from ade.views.dialogs import form_of
from ade.views.handles import forget_handles, model_handles
from agents_core.actions import providers
from agents_core.memory import embedders


def _saved(response: HttpResponse, text: str = "") -> HttpResponse:
    response["HX-Trigger"] = json.dumps({"toast": {"text": text or _("Saved"), "tone": "ok"}})
    return response


@require_GET
def provider_page(request: HttpRequest) -> HttpResponse:
    """Providers, mapped handles, embeddings, the sandbox."""
    return render(request, "ade/pages/settings.html", _provider_context())


def _provider_context() -> dict[str, object]:
    return {
        "providers": providers.providers(),
        "mappings": providers.mappings(),
        "handles": model_handles(),
        "embedder": embedders.default_handle(),
        "sandbox": sandbox_status(),
    }


@form_of("/settings")
def save_provider(request: HttpRequest) -> HttpResponse:
    """Sets up a provider; an empty key keeps the stored one."""
    given = request.POST
    name = given.get("name", "")
    providers.save_provider(
        name, base_url=given.get("base_url", "").strip() or None, api_key=given.get("api_key", "").strip() or None
    )
    forget_handles()
    return _saved(_provider_list(request), _("{name} is set up. Test it.").format(name=name))


@require_POST
def delete_provider(request: HttpRequest, name: str) -> HttpResponse:
    providers.delete_provider(name)
    forget_handles()
    return _saved(_provider_list(request), _("{name} was removed.").format(name=name))


@require_POST
def check_provider(request: HttpRequest, name: str) -> HttpResponse:
    """Tests a provider and says what came of it."""
    check = async_to_sync(providers.check_provider)(name)
    forget_handles()
    return render(request, "ade/partials/_provider_check.html", {"check": check, "name": name})


@require_POST
def save_mapping(request: HttpRequest) -> HttpResponse:
    providers.save_mapping(request.POST.get("handle", ""), request.POST.get("target", ""))
    return _saved(render(request, "ade/partials/_mappings.html", _provider_context()))


def _provider_list(request: HttpRequest) -> HttpResponse:
    return render(request, "ade/partials/_providers.html", _provider_context())
