"""The SDKs cost seconds to import: nothing may do it before the first call."""

import subprocess
import sys

CODE = """
import sys
from agents_core.llm import catalog, presets
from agents_core.llm.base import EMBEDDERS, PROVIDERS, Endpoint
for name in ("anthropic", "openai", "openai_compatible"):
    PROVIDERS.load(name)(Endpoint("a-key", "http://localhost:9/v1"))
EMBEDDERS.load("openai")(Endpoint("a-key"), "text-embedding-3-small", 1536)
print(sorted({"aiohttp", "anthropic", "openai", "httpx2", "django"} & set(sys.modules)))
from agents_core.llm.providers import warm
warm(("openai",)).join()
print("openai" in sys.modules)
"""


def test_providers_are_made_without_their_sdks_and_can_be_warmed() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True"]
