"""The one settings file: the environment decides, through the typed readings of ``ade.env``.

Variables: MNEMOSCOPE_HOME, HOST, PORT, MNEMOSCOPE_PASSWORD, ALLOWED_HOSTS, ALLOWED_ORIGINS, DATABASE_URL,
SECRET_KEY, SEAL_KEY, WEBHOOK_SECRET, DEBUG, LOG_LEVEL, AGENTS_SANDBOX, AGENTS_WORKER_CONCURRENCY, AGENTS_DEFAULT_MODEL,
AGENTS_DEFAULT_EMBEDDER, MCP_STDIO. Each secret may stand in the file that <NAME>_FILE names.
"""

import base64
import secrets
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_data_dir

from ade import assets, catalogues, env
from agents_core.embedded.place import Place

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = env.folder("MNEMOSCOPE_HOME", user_data_dir("mnemoscope", appauthor=False))

DEBUG = env.flag("DEBUG")
SECRET_KEY = env.kept_secret("SECRET_KEY", HOME / "secret.key")

# The server: who may reach it is decided by ade.middleware from these.
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8283, at_least=1, at_most=65535)
PASSWORD = env.text("MNEMOSCOPE_PASSWORD")
TRUSTED_HOSTS = env.words("ALLOWED_HOSTS")
TRUSTED_ORIGINS = env.words("ALLOWED_ORIGINS")
ALLOWED_HOSTS = ["*"]  # ade.middleware.Guard checks the Host header, of websockets too.
CSRF_TRUSTED_ORIGINS = TRUSTED_ORIGINS

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "channels",
    "procrastinate.contrib.django",
    "ninja",
    "agents_core",
    "ade",
]

# Pages only: /v1 has a handler without these (ade.asgi), for each costs a hop to a thread.
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "ade.errors.ErrorPages",
]

ROOT_URLCONF = "ade.urls"
ASGI_APPLICATION = "ade.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ade.status.status_line",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.l10n"],
        },
    }
]


def _parts(url: str) -> dict[str, str]:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        return {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except ProgrammingError as error:
        raise env.BadSetting(f"DATABASE_URL is not the address of a PostgreSQL database: {error}.") from None


def _database() -> dict[str, Any]:
    url = env.text("DATABASE_URL")
    parts = _parts(url) if url else Place(HOME).connection()
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 0,  # The pool keeps the connections; a new one costs 5 ms.
        "CONN_HEALTH_CHECKS": True,  # One that died with a restarted database is never handed out.
        "OPTIONS": {**parts, "pool": {"min_size": 2, "max_size": 20, "timeout": 20}},
    }


EMBEDDED_DATABASE = not env.text("DATABASE_URL")
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_URL = assets.address(STATICFILES_DIRS)

SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "ade.errors.stale_page"

DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 2**20  # Agent files hold whole histories.

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGES = catalogues.languages(LOCALE_PATHS[0])
USE_I18N = len(LANGUAGES) > 1  # With one language nothing has to be looked up, for each text of each page.
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 10 * 365 * 24 * 3600  # As long as the browser keeps the theme.

AGENTS_HOME = HOME
AGENTS_SEAL_KEY = env.kept_secret(
    "SEAL_KEY", HOME / "seal.key", make=lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
).encode()
AGENTS_WEBHOOK_KEY = env.signing_key("WEBHOOK_SECRET", HOME / "webhook.secret")
AGENTS_SANDBOX: Literal["auto", "bubblewrap", "landlock"] = env.choice(
    "AGENTS_SANDBOX", "auto", ("auto", "bubblewrap", "landlock")
)
AGENTS_WORKER_CONCURRENCY = env.number("AGENTS_WORKER_CONCURRENCY", 64, at_least=1, at_most=1024)
AGENTS_DEFAULT_MODEL = env.text("AGENTS_DEFAULT_MODEL")
AGENTS_DEFAULT_EMBEDDER = env.text("AGENTS_DEFAULT_EMBEDDER")
AGENTS_WEB_SEARCH = {name: env.text(name) for name in ("EXA_API_KEY", "TAVILY_API_KEY", "BRAVE_API_KEY", "SEARXNG_URL")}
# Who may add an MCP server of this kind may run any program: only those who sit at the machine, unless the operator says otherwise.
_local = HOST in {"127.0.0.1", "::1", "localhost"} and not (TRUSTED_HOSTS or TRUSTED_ORIGINS)
AGENTS_MCP_STDIO = env.flag("MCP_STDIO", default=_local)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["stderr"],
        "level": env.choice("LOG_LEVEL", "info", ("debug", "info", "warning", "error")).upper(),
    },
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # One line for each call of a model or of a tool server would drown the rest.
        **{
            name: {"level": "WARNING"}
            for name in (
                "httpx",
                "httpx2",
                "httpcore",
                "procrastinate",
                "daphne",
                "asyncio",
                "readability",
                "mcp",
                "sse_starlette",
            )
        },
        # It writes a traceback for each line that a server garbles; what failed is told where the server is used.
        "mcp.client": {"level": "CRITICAL"},
    },
}
