"""Bytes under their SHA-256, each stored once."""

from hashlib import sha256

from agents_core.models.pipeline import Statement


def store_blob(content: bytes) -> tuple[bytes, Statement]:
    """The digest of ``content``, and the statement that stores it if it is new."""
    digest = sha256(content).digest()
    return digest, Statement("INSERT INTO blob (digest, content) VALUES (%s, %s) ON CONFLICT DO NOTHING", (digest, content))
