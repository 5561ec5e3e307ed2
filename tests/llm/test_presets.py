"""Which providers an environment configures."""

import pytest

from agents_core.llm.base import PROVIDERS, Endpoint
from agents_core.llm.presets import PRESETS, endpoint_for, endpoints_from


def test_without_any_setting_only_the_built_in_model_is_there() -> None:
    assert list(endpoints_from({})) == ["offline"]


def test_every_preset_is_of_a_registered_kind() -> None:
    assert {preset.kind for preset in PRESETS.values()} <= set(PROVIDERS)


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("OPENAI_API_KEY", "openai"),
        ("ANTHROPIC_API_KEY", "anthropic"),
        ("GEMINI_API_KEY", "google_ai"),
        ("GROQ_API_KEY", "groq"),
        ("TOGETHER_API_KEY", "together"),
        ("OPENROUTER_API_KEY", "openrouter"),
    ],
)
def test_a_key_configures_its_provider(variable: str, name: str) -> None:
    assert endpoints_from({variable: " a-key "})[name].api_key == "a-key"


@pytest.mark.parametrize(("variable", "name"), [("OLLAMA_BASE_URL", "ollama"), ("VLLM_BASE_URL", "vllm")])
@pytest.mark.parametrize("given", ["http://gpu:1234", "http://gpu:1234/", "http://gpu:1234/v1"])
def test_a_local_servers_address_is_enough_and_may_lack_v1(variable: str, name: str, given: str) -> None:
    endpoint = endpoints_from({variable: given})[name]
    assert (endpoint.base_url or "").rstrip("/") == "http://gpu:1234/v1"
    assert endpoint.api_key is None


def test_an_address_of_openais_name_needs_no_key() -> None:
    found = endpoints_from({"OPENAI_BASE_URL": "http://localhost:9/v1"})["openai"]
    assert (found.api_key, found.base_url) == (None, "http://localhost:9/v1")


def test_a_blank_setting_is_none() -> None:
    assert list(endpoints_from({"OPENAI_API_KEY": " ", "OLLAMA_BASE_URL": ""})) == ["offline"]


def test_a_preset_has_its_own_address_unless_another_is_given() -> None:
    groq = PRESETS["groq"]
    assert endpoint_for(groq, "k", None) == Endpoint("k", "https://api.groq.com/openai/v1")
    assert endpoint_for(groq, "k", "http://proxy/v1").base_url == "http://proxy/v1"
