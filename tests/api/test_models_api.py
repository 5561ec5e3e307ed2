"""The list of models: providers are asked side by side, not at every call, and a dead one holds up none of the others."""

import socket
import time
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import providers
from agents_core.actions.providers import delete_provider, models, save_provider
from tests.api.conftest import Api
from tests.llm.fake_server import FakeModelServer


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that takes connections and says nothing; little patience."""
    monkeypatch.setattr(providers, "_ANSWER_WITHIN_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"


async def handles(api: Api) -> set[str]:
    return {model["handle"] for model in await api.get("/models/")}


def asked(server: FakeModelServer) -> int:
    return len([received for received in server.requests if received.endpoint == "/models"])


async def test_a_provider_is_asked_once_for_several_lists(api: Api) -> None:
    with FakeModelServer() as server:
        server.models = [{"id": "first", "object": "model"}]
        await sync_to_async(save_provider)("own", base_url=server.url, api_key=None)
        assert "own/first" in await handles(api)
        once = asked(server)
        assert "own/first" in await handles(api)
    assert asked(server) == once > 0


async def test_other_settings_count_at_once(api: Api) -> None:
    with FakeModelServer() as one, FakeModelServer() as other:
        one.models, other.models = [{"id": "one"}], [{"id": "other"}]
        await sync_to_async(save_provider)("own", base_url=one.url, api_key=None)
        assert "own/one" in await handles(api)
        await sync_to_async(save_provider)("own", base_url=other.url, api_key=None)
        assert {"own/other"} == {handle for handle in await handles(api) if handle.startswith("own/")}
        await sync_to_async(delete_provider)("own")
        assert not {handle for handle in await handles(api) if handle.startswith("own/")}


async def test_an_answer_is_asked_for_again_after_some_seconds(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_KEPT_S", 0.05)
    with FakeModelServer() as server:
        await sync_to_async(save_provider)("own", base_url=server.url, api_key=None)
        await handles(api)
        server.models = [{"id": "later"}]
        time.sleep(0.1)  # noqa: ASYNC251
        assert "own/later" in await handles(api)


async def test_silent_providers_hold_up_neither_the_list_nor_each_other(api: Api, silent: str) -> None:
    with FakeModelServer() as server:
        server.models = [{"id": "there"}]
        await handles(api)
        for name, url in (("mute-a", silent), ("mute-b", f"{silent}/b"), ("own", server.url)):
            await sync_to_async(save_provider)(name, base_url=url, api_key=None)
        started = time.monotonic()
        choices, failures = await models()
        took_s = time.monotonic() - started
    assert "own/there" in {choice.handle for choice in choices}
    assert "within 1 s" in failures["mute-a"]
    assert set(failures) == {"mute-a", "mute-b"}
    assert took_s < 1.9


async def test_a_new_agent_has_the_window_that_its_provider_tells_and_another_model_makes_it_smaller(api: Api) -> None:
    with FakeModelServer() as server:
        server.models = [
            {"id": "wide", "max_model_len": 50_000},
            {"id": "narrow", "max_model_len": 6_000},
            {"id": "mum"},
        ]
        await sync_to_async(save_provider)("vllm", base_url=server.url, api_key=None)
        made = await api.post("/agents/", {"model": "vllm/wide"})
        assert made["llm_config"]["context_window"] == 50_000
        for model, window in (("vllm/narrow", 6_000), ("vllm/wide", 6_000)):
            changed = await api.patch(f"/agents/{made['id']}", {"model": model})
            assert changed["llm_config"]["context_window"] == window
        changed = await api.patch(f"/agents/{made['id']}", {"model": "vllm/narrow", "context_window_limit": 9_000})
        assert changed["llm_config"]["context_window"] == 9_000
        changed = await api.patch(f"/agents/{made['id']}", {"model": "vllm/narrow"})  # no other than it had
        assert changed["llm_config"]["context_window"] == 9_000
        assert (await api.post("/agents/", {"model": "vllm/mum"}))["llm_config"]["context_window"] == 32_768
    assert (await api.post("/agents/", {"model": "offline/rules-8k"}))["llm_config"]["context_window"] == 8_000


async def test_a_provider_that_does_not_answer_holds_up_no_new_agent(api: Api, silent: str) -> None:
    await sync_to_async(save_provider)("vllm", base_url=silent, api_key=None)
    assert (await api.post("/agents/", {"model": "vllm/any"}))["llm_config"]["context_window"] == 32_768
