"""Which model a new agent gets, and whether a handle names one that can be asked."""

from agents_core.conf import conf
from agents_core.errors import Refused
from agents_core.memory import embedders
from agents_core.models import HandleMapping, ProviderAccount
from agents_core.runtime.providers import endpoint_of

OFFLINE = "offline/rules"


def default_model() -> str:
    return conf().default_model or OFFLINE


def default_embedding() -> str:
    return embedders.default_handle()


def check_handle(handle: str) -> str:
    """``handle``. Raises ``Refused`` when it is not of the form provider/model, ``UnknownModel`` when no provider of
    that name is set up."""
    provider, _, model = handle.partition("/")
    if not (provider and model):
        raise Refused(f"{handle!r} is not a model handle: write provider/model, such as openai/gpt-4o-mini.")
    if provider != "offline":
        target = HandleMapping.objects.filter(pk=handle).values_list("target", flat=True).first() or handle
        name = target.partition("/")[0]
        kind = ProviderAccount.objects.filter(name=name).values_list("kind", flat=True).first()
        endpoint_of(name, kind, None, None)
    return handle
