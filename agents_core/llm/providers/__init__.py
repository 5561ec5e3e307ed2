"""Model providers, one module each, loaded through ``agents_core.llm.base.PROVIDERS``.

Their SDKs are imported at first use: ``anthropic`` takes 2 s, ``openai`` 0.8 s.
"""

from importlib import import_module
from threading import Thread

SDK_MODULES = ("openai", "anthropic")


def warm(modules: tuple[str, ...] = SDK_MODULES) -> Thread:
    """The thread in which the SDKs are being imported: started early, it spares the first message the wait."""
    thread = Thread(target=lambda: [import_module(name) for name in modules], name="import-sdks", daemon=True)
    thread.start()
    return thread
