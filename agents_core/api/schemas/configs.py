"""The configurations that V1 objects repeat beside a handle (contract: wire, section 5)."""

from typing import Any

from agents_core.llm import catalog
from agents_core.models import Agent

_CHUNK_SIZE = 300


def llm_config(handle: str, context_window: int, settings: dict[str, Any] | None = None) -> dict[str, Any]:
    """An LLMConfig: the model behind ``handle`` and how it is asked. Tokens throughout."""
    provider, _, model = handle.partition("/")
    chosen = settings or {}
    return {
        "model": model,
        "display_name": model,
        "model_endpoint_type": provider,
        "model_endpoint": None,
        "provider_name": provider,
        "provider_category": "base",
        "model_wrapper": None,
        "context_window": context_window,
        "put_inner_thoughts_in_kwargs": bool(chosen.get("put_inner_thoughts_in_kwargs", False)),
        "handle": handle,
        "temperature": chosen.get("temperature", 1.0),
        "max_tokens": chosen.get("max_output_tokens"),
        "enable_reasoner": True,
        "reasoning_effort": (chosen.get("reasoning") or {}).get("reasoning_effort"),
        "max_reasoning_tokens": (chosen.get("thinking") or {}).get("budget_tokens", 0),
        "effort": chosen.get("effort"),
        "frequency_penalty": None,
        "compatibility_type": None,
        "verbosity": chosen.get("verbosity"),
        "tier": None,
        "parallel_tool_calls": bool(chosen.get("parallel_tool_calls", False)),
        "response_format": chosen.get("response_format"),
        "strict": bool(chosen.get("strict", False)),
        "return_logprobs": False,
        "top_logprobs": None,
        "return_token_ids": False,
        "tool_call_parser": None,
    }


def agent_llm_config(agent: Agent) -> dict[str, Any]:
    return llm_config(agent.model, agent.context_window, agent.model_settings)


def embedding_config(handle: str | None, dimensions: int | None = None) -> dict[str, Any] | None:
    """An EmbeddingConfig, None without a handle."""
    if handle is None:
        return None
    provider, _, model = handle.partition("/")
    return {
        "embedding_endpoint_type": provider,
        "embedding_endpoint": None,
        "embedding_model": model,
        "embedding_dim": dimensions or catalog.facts(model).embedding_dimensions or 384,
        "embedding_chunk_size": _CHUNK_SIZE,
        "handle": handle,
        "batch_size": 32,
        "azure_endpoint": None,
        "azure_version": None,
        "azure_deployment": None,
    }
