from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.urls import path

from ade.views.login import login, logout
from agents_core import __version__


async def health(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"version": __version__, "status": "ok"})


urlpatterns = [
    path("v1/health/", health),
    path("login", login),
    path("logout", logout),
    path("admin/", admin.site.urls),
]
