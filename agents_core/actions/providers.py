"""Model providers: setting them up, testing them, and which handles there are."""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.db import transaction

from agents_core.errors import AgentsError, InvalidInput, NotFound
from agents_core.llm import catalog
from agents_core.llm.base import PROVIDERS, Endpoint
from agents_core.llm.presets import PRESETS, Preset, endpoints_from
from agents_core.llm.types import Check, ModelInfo
from agents_core.models import HandleMapping, ProviderAccount
from agents_core.models.sealed import seal
from agents_core.runtime.providers import endpoint_of


@dataclass(frozen=True, slots=True)
class ProviderView:
    """A provider as the settings show it. ``source``: "settings", "environment" or "none" (known, and not set up)."""

    name: str
    label: str
    kind: str
    base_url: str | None
    has_key: bool
    needs_key: bool
    source: str
    last_check: dict[str, Any] | None

    @property
    def is_set_up(self) -> bool:
        return self.source != "none"


def providers() -> list[ProviderView]:
    """All that are known by name or set up, those set up first."""
    accounts = {account.name: account for account in ProviderAccount.objects.all()}
    environment = endpoints_from(os.environ)
    names = [*accounts, *(name for name in PRESETS if name not in accounts)]
    views = [_view(name, accounts.get(name), environment.get(name), PRESETS.get(name)) for name in names]
    return sorted(views, key=lambda view: (not view.is_set_up, view.label.lower()))


def _view(name: str, account: ProviderAccount | None, endpoint: Endpoint | None, preset: Preset | None) -> ProviderView:
    label = preset.label if preset else name
    needs_key = preset.needs_key if preset else False
    if account is not None:
        base_url = account.base_url or (preset.base_url if preset else None)
        return ProviderView(
            name,
            label,
            account.kind,
            base_url,
            account.sealed_key is not None,
            needs_key,
            "settings",
            account.last_check,
        )
    kind = preset.kind if preset else "openai_compatible"
    if endpoint is not None:
        return ProviderView(
            name, label, kind, endpoint.base_url, endpoint.api_key is not None, needs_key, "environment", None
        )
    return ProviderView(name, label, kind, preset.base_url if preset else None, False, needs_key, "none", None)


def save_provider(name: str, *, base_url: str | None, api_key: str | None, kind: str | None = None) -> ProviderAccount:
    """Sets up a provider, or changes it; an ``api_key`` of None keeps the stored one, "" removes it. Raises ``InvalidInput``."""
    name = name.strip().lower()
    if not name or not all(letter.isalnum() or letter in "_-" for letter in name) or not name.isascii():
        raise InvalidInput(
            "A provider's name is the first half of its model handles: small letters, digits, - and _ only."
        )
    kind = PRESETS[name].kind if name in PRESETS else kind or "openai_compatible"
    if kind not in PROVIDERS:
        raise InvalidInput(f"There is no kind of provider named {kind!r}. Known: {', '.join(sorted(PROVIDERS))}.")
    if base_url and not base_url.startswith(("http://", "https://")):
        raise InvalidInput(f"{base_url!r} is not an address: begin it with http:// or https://.")
    if name not in PRESETS and not base_url:
        raise InvalidInput("Give the address of this provider, such as http://localhost:8000/v1.")
    with transaction.atomic():
        account, _ = ProviderAccount.objects.select_for_update().get_or_create(name=name, defaults={"kind": kind})
        account.kind, account.base_url = kind, base_url or None
        if api_key is not None:
            account.sealed_key = seal(api_key) if api_key else None
        account.save()
    return account


def delete_provider(name: str) -> None:
    """Forgets a provider that was set up here; one that the environment sets stays. Raises ``NotFound``."""
    if not ProviderAccount.objects.filter(name=name).delete()[0]:
        raise NotFound(f"No provider named {name!r} was set up here.")


async def check_provider(name: str) -> Check:
    """Asks the provider whether it answers; never raises for what it says. Raises ``UnknownModel`` for one that is not set up."""
    account = await ProviderAccount.objects.filter(name=name).afirst()
    kind, endpoint = _endpoint(name, account)
    provider = PROVIDERS.load(kind)(endpoint)
    try:
        check: Check = await provider.check()
    finally:
        await provider.aclose()
    if account is not None:
        facts = asdict(check)
        account.last_check = {**facts, "models": len(check.models)}
        await ProviderAccount.objects.filter(id=account.id).aupdate(last_check=account.last_check)
    return check


def _endpoint(name: str, account: ProviderAccount | None) -> tuple[str, Endpoint]:
    if account is None:
        return endpoint_of(name, None, None, None)
    return endpoint_of(name, account.kind, account.base_url, account.sealed_key)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that agents can use. ``handle`` is provider/model."""

    handle: str
    provider: str
    provider_kind: str
    base_url: str | None
    info: ModelInfo


_ANSWER_WITHIN_S = 5.0
_KEPT_S = 15.0
_FAILURE_KEPT_S = 3.0

_Listed = list[ModelInfo] | str
_listed: dict[tuple[str, Endpoint], tuple[float, _Listed]] = {}


async def models() -> tuple[list[ModelChoice], dict[str, str]]:
    """Every model of every provider set up, and why a provider's could not be listed, by its name.

    The providers are asked side by side, given 5 seconds, and not again for some seconds after; other settings count at once.
    """
    accounts = {account.name: account async for account in ProviderAccount.objects.all()}
    choices: list[ModelChoice] = []
    failures: dict[str, str] = {}
    found: dict[str, tuple[str, Endpoint]] = {}
    for name in {**endpoints_from(os.environ), **accounts}:
        try:
            found[name] = _endpoint(name, accounts.get(name))
        except AgentsError as error:
            failures[name] = error.message
    answers = await asyncio.gather(*(_models_of(*where) for where in found.values()))
    for (name, (kind, endpoint)), listed in zip(found.items(), answers, strict=True):
        if isinstance(listed, str):
            failures[name] = listed
        else:
            choices += [ModelChoice(f"{name}/{info.name}", name, kind, endpoint.base_url, info) for info in listed]
    return choices, failures


async def _models_of(kind: str, endpoint: Endpoint) -> _Listed:
    """The models, or why there are none."""
    key, now = (kind, endpoint), time.monotonic()
    if key not in _listed or _listed[key][0] < now:
        for old in [each for each, (until, _) in _listed.items() if until < now]:
            del _listed[old]
        listed = await _ask_for_models(kind, endpoint)
        _listed[key] = (time.monotonic() + (_FAILURE_KEPT_S if isinstance(listed, str) else _KEPT_S), listed)
        return listed
    return _listed[key][1]


async def _ask_for_models(kind: str, endpoint: Endpoint) -> _Listed:
    try:
        # Importing an SDK takes seconds, which are not the provider's.
        provider = await asyncio.to_thread(lambda: PROVIDERS.load(kind)(endpoint))
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                listed: list[ModelInfo] = await provider.list_models()
                return listed
        finally:
            await provider.aclose()
    except TimeoutError:
        return f"It did not list its models within {_ANSWER_WITHIN_S:g} s."
    except AgentsError as error:
        return error.message


def context_window(handle: str) -> int:
    """How many tokens a request to the model may have, as its provider tells, else as the catalog does.

    A provider that serves well-known models is not asked about those; another one has 5 seconds. Raises ``UnknownModel``.
    """
    target = mappings().get(handle, handle)
    name, _, model = target.partition("/")
    known = catalog.facts(target)
    if known.source == "catalog" and name not in catalog.SELF_HOSTED:
        return known.context_window
    where = _endpoint(name, ProviderAccount.objects.filter(name=name).first())
    listed = async_to_sync(_models_of)(*where)
    told = [] if isinstance(listed, str) else [info.context_window for info in listed if info.name == model]
    return told[0] if told else known.context_window


def save_mapping(handle: str, target: str) -> HandleMapping:
    """Sends calls of ``handle`` to ``target`` from now on; an empty target removes the mapping. Raises ``InvalidInput``."""
    handle, target = handle.strip(), target.strip()
    for given in filter(None, (handle, target)):
        if not all(given.partition("/")[::2]):
            raise InvalidInput(f"{given!r} is not a model handle: write provider/model, such as openai/gpt-4o-mini.")
    if not target:
        HandleMapping.objects.filter(handle=handle).delete()
        return HandleMapping(handle=handle, target="")
    if (
        HandleMapping.objects.filter(handle=target).exists()
        or HandleMapping.objects.filter(target=handle).exclude(handle=handle).exists()
    ):
        raise InvalidInput("A mapping may not lead to another mapping: name the model that is really meant.")
    mapping, _ = HandleMapping.objects.update_or_create(handle=handle, defaults={"target": target})
    return mapping


def mappings() -> Mapping[str, str]:
    """The mapped handles and where they lead."""
    return dict(HandleMapping.objects.order_by("handle").values_list("handle", "target"))
