"""Where the embedded database lives under the home folder, and how to reach it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "mnemoscope"
PORT = 5432


@dataclass(frozen=True)
class Place:
    """The folders and files of one embedded database. Making and filling them is the cluster's work."""

    home: Path

    @property
    def data(self) -> Path:
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    @property
    def lock(self) -> Path:
        return self.home / "serve.lock"

    @property
    def password_file(self) -> Path:
        return self.home / "postgres.password"

    @property
    def socket_record(self) -> Path:
        """Names the folder of the socket when the home folder's own path is too long for one."""
        return self.home / "postgres.socket"

    @property
    def socket_folder(self) -> Path:
        try:
            return Path(self.socket_record.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return self.home / "run"

    @property
    def password(self) -> str:
        """Empty until the database has been made."""
        try:
            return self.password_file.read_text(encoding="ascii")
        except FileNotFoundError:
            return ""

    def connection(self, database: str = NAME) -> dict[str, Any]:
        """The libpq parameters of a connection to ``database``."""
        return {
            "host": str(self.socket_folder),
            "port": str(PORT),
            "user": NAME,
            "password": self.password,
            "dbname": database,
        }
