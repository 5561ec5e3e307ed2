"""Secrets at rest: sealed with the installation's key, opened only where they are used."""

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from agents_core.errors import Unavailable


def seal(text: str) -> bytes:
    return Fernet(settings.AGENTS_SEAL_KEY).encrypt(text.encode())


def unseal(sealed: bytes | memoryview) -> str:
    """The text that was sealed. Raises ``Unavailable`` when the installation's key is not the one that sealed it."""
    try:
        return Fernet(settings.AGENTS_SEAL_KEY).decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise Unavailable(
            "A stored secret was sealed with another key: restore the old seal key, or enter the secret again."
        ) from None
