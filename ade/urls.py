from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.urls import path

from agents_core import __version__


async def health(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"version": __version__, "status": "ok"})


urlpatterns = [
    path("v1/health/", health),
    path("admin/", admin.site.urls),
]
