"""The models that agents can be given."""

from typing import Literal

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import providers
from agents_core.api.reply import reply
from agents_core.api.schemas.common import Body
from agents_core.api.schemas.configs import embedding_config, llm_config
from agents_core.llm import catalog
from agents_core.memory import embedders

router = Router(tags=["models"])


class ModelFilter(Body):
    provider_category: list[Literal["base", "byok"]] | None = None
    provider_name: str | None = None
    provider_type: str | None = None


@router.get("/")
async def list_models(request: HttpRequest, query: Query[ModelFilter]) -> HttpResponse:
    choices, _ = await providers.models()
    windows = {each.handle: each.info.context_window for each in choices if each.info.embedding_dimensions is None}
    for handle, target in (await sync_to_async(providers.mappings)()).items():
        windows.setdefault(handle, windows.get(target) or catalog.facts(target).context_window)
    return reply([_model(handle, window) for handle, window in windows.items() if _wanted(handle, query)])


def _wanted(handle: str, query: ModelFilter) -> bool:
    provider = handle.partition("/")[0]
    if query.provider_category and "base" not in query.provider_category:
        return False
    return all(wanted in (None, provider) for wanted in (query.provider_name, query.provider_type))


def _model(handle: str, context_window: int) -> dict[str, object]:
    config = llm_config(handle, context_window)
    provider, _, name = handle.partition("/")
    return config | {
        "name": name,
        "provider_type": provider,
        "model_type": "llm",
        "max_context_window": context_window,
    }


@router.get("/embedding")
async def list_embedding_models(request: HttpRequest) -> HttpResponse:
    choices, _ = await providers.models()
    sizes = {each.handle: each.info.embedding_dimensions for each in choices if each.info.embedding_dimensions}
    own = embedders.default_handle()
    sizes.setdefault(own, embedders.embedder(own).dimensions)
    return reply([_embedding_model(handle, size) for handle, size in sizes.items()])


def _embedding_model(handle: str, dimensions: int) -> dict[str, object]:
    provider, _, name = handle.partition("/")
    return (embedding_config(handle, dimensions) or {}) | {
        "name": name,
        "display_name": name,
        "provider_type": provider,
        "provider_name": provider,
        "model_type": "embedding",
    }
