"""Django settings: read from the environment, loud when wrong, without side effects.

Every variable is described in docs/settings.md; a test holds the two together.
"""

import logging
import os
import sys
from pathlib import Path

from csp.constants import NONE, SELF

from archive.bundled.connections import read_connections
from archive.bundled.tuning import index_memory
from archive.environment import Environment, of_choice, of_folder, of_networks, of_postgres
from archive.redis_url import broker_url

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

# ---- Where things are -------------------------------------------------------------------------
SIGHTLINE_DATA = Path(env.str("SIGHTLINE_DATA", default=str(BASE_DIR / "var"))).expanduser().resolve()
# `manage.py up` leaves the addresses of its own Postgres and Valkey here; the environment wins.
_bundled = read_connections(SIGHTLINE_DATA)

DATABASE_URL = of_postgres(env.str("DATABASE_URL", default=_bundled.database_url if _bundled else ""))
REDIS_URL = env.str("REDIS_URL", default=_bundled.redis_url if _bundled else "")

# ---- Django -----------------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY", default=_bundled.secret_key if _bundled else "")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "search",
    "workers",
    "archive.apps.ArchiveConfig",
    "archive.apps.CurationSite",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "django_htmx",
    "csp",
    "axes",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "archive.middleware.database_outage",
    "archive.middleware.interrupted_uploads",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "archive.middleware.count_questions",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "archive.urls"
WSGI_APPLICATION = "archive.wsgi.application"
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
            ],
        },
    }
]

# ---- Postgres ---------------------------------------------------------------------------------
# An address that cannot be reached says what to do when the first query is made (archive.checks).
DATABASES = {"default": env.db_url_config(DATABASE_URL or "postgres://sightline@/sightline?host=/nonexistent")}
DATABASES["default"].update(
    ATOMIC_REQUESTS=False,
    CONN_MAX_AGE=env.int("CONN_MAX_AGE", default=0),
    CONN_HEALTH_CHECKS=True,
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---- Workers ----------------------------------------------------------------------------------
SIGHTLINE_LEASE_SECONDS = env.int("SIGHTLINE_LEASE_SECONDS", default=60)
SIGHTLINE_TICK_SECONDS = env.int("SIGHTLINE_TICK_SECONDS", default=15)
SIGHTLINE_ENCODE_BATCH = env.int("SIGHTLINE_ENCODE_BATCH", default=32)
SIGHTLINE_DEVICE = env.str("SIGHTLINE_DEVICE", default="")
SIGHTLINE_QUERY_TIMEOUT = env.float("SIGHTLINE_QUERY_TIMEOUT", default=10.0)
SIGHTLINE_QUERY_PATIENCE = env.float("SIGHTLINE_QUERY_PATIENCE", default=3.0)
SIGHTLINE_QUESTION_LIMIT = env.int("SIGHTLINE_QUESTION_LIMIT", default=120)
SIGHTLINE_UNLOAD_SECONDS = env.int("SIGHTLINE_UNLOAD_SECONDS", default=0)

# ---- Models -----------------------------------------------------------------------------------
SIGHTLINE_MODELS = Path(env.str("SIGHTLINE_MODELS", default="") or SIGHTLINE_DATA / "models").expanduser().resolve()
HF_ENDPOINT = env.str("HF_ENDPOINT", default="https://huggingface.co").rstrip("/")
SIGHTLINE_OFFLINE = env.bool("SIGHTLINE_OFFLINE", default=False)

# ---- Telling people and programs --------------------------------------------------------------
SIGHTLINE_URL = env.str("SIGHTLINE_URL", default="").rstrip("/")
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", default=False)
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="sightline@localhost")
SIGHTLINE_HOOK_NETWORKS = of_networks("SIGHTLINE_HOOK_NETWORKS", env.list("SIGHTLINE_HOOK_NETWORKS", default=[]))

# ---- Redis: doorbells and caches, nothing that would be missed --------------------------------
CACHES = {
    "default": {
        "BACKEND": "archive.cache.QuickCache",
        "LOCATION": REDIS_URL or "redis://localhost:0",
        "KEY_PREFIX": "sightline",
        "OPTIONS": {
            "serializer": "archive.cache.PlainSerializer",  # never pickle
            "socket_connect_timeout": 1,
            "socket_timeout": 1,
        },
    }
}
CELERY_BROKER_URL = broker_url(REDIS_URL or "redis://localhost:0")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "health_check_interval": 25,
    "visibility_timeout": 3600,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "media"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "tick": {
        "task": "workers.tick",
        "schedule": SIGHTLINE_TICK_SECONDS,
        "options": {"queue": "media", "expires": SIGHTLINE_TICK_SECONDS},
    },
    "spaces": {
        "task": "workers.look_after_spaces",
        "schedule": SIGHTLINE_TICK_SECONDS,
        "options": {"queue": "media", "expires": SIGHTLINE_TICK_SECONDS},
    },
    "sweep": {"task": "workers.sweep", "schedule": 3600, "options": {"queue": "media", "expires": 3600}},
}

# ---- Files ------------------------------------------------------------------------------------
SIGHTLINE_MEDIA_URL = env.str("SIGHTLINE_MEDIA_URL", default="")
MEDIA_ROOT = Path(of_folder("SIGHTLINE_MEDIA_URL", SIGHTLINE_MEDIA_URL) or SIGHTLINE_DATA / "media")
STORAGES = {
    "default": {"BACKEND": "archive.storage.DurableStorage", "OPTIONS": {"location": str(MEDIA_ROOT)}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = SIGHTLINE_DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "templates" / "static"]
FILE_UPLOAD_HANDLERS = ["archive.incoming.IncomingUploadHandler"]
SIGHTLINE_ACCEL = of_choice("SIGHTLINE_ACCEL", env.str("SIGHTLINE_ACCEL", default=""), ("nginx", "x-sendfile"))
SIGHTLINE_UPLOAD_LIMIT = env.int("SIGHTLINE_UPLOAD_LIMIT", default=200 * 1024 * 1024)
SIGHTLINE_PIXEL_LIMIT = env.int("SIGHTLINE_PIXEL_LIMIT", default=80_000_000)
SIGHTLINE_VIDEO_LIMIT = env.int("SIGHTLINE_VIDEO_LIMIT", default=20 * 1024**3)
SIGHTLINE_BACKLOG_LIMIT = env.int("SIGHTLINE_BACKLOG_LIMIT", default=100_000)
SIGHTLINE_FRAMES_PER_SECOND = env.float("SIGHTLINE_FRAMES_PER_SECOND", default=1.0)
SIGHTLINE_FRAME_LIMIT = env.int("SIGHTLINE_FRAME_LIMIT", default=20_000)
SIGHTLINE_SHOT_SECONDS = env.float("SIGHTLINE_SHOT_SECONDS", default=300.0)
SIGHTLINE_TRASH_DAYS = env.int("SIGHTLINE_TRASH_DAYS", default=30)

# ---- Search -----------------------------------------------------------------------------------
SIGHTLINE_INDEX_FROM = env.int("SIGHTLINE_INDEX_FROM", default=20_000)
# What a Postgres elsewhere has, nobody here knows: little is slow, too much has it killed.
_index_memory = index_memory() if _bundled and _bundled.database_url == DATABASE_URL else 512
SIGHTLINE_INDEX_MEMORY = env.int("SIGHTLINE_INDEX_MEMORY", default=_index_memory)

# ---- Who ---------------------------------------------------------------------------------------
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "search"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"

# ---- What a browser may do ---------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "media-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# TLS is the reverse proxy's; say so with SIGHTLINE_TLS=true and cookies travel over it alone.
SIGHTLINE_TLS = env.bool("SIGHTLINE_TLS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = SIGHTLINE_TLS
SECURE_HSTS_SECONDS = 31_536_000 if SIGHTLINE_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SIGHTLINE_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SIGHTLINE_TLS else None
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# ---- API ---------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["archive.api.renderers.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "archive.api.parsers.ShortJSONParser",
        "rest_framework.parsers.MultiPartParser",
        "archive.api.parsers.ShortFormParser",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["archive.api.throttles.PersonThrottle"],
    "DEFAULT_THROTTLE_RATES": {"api": "1200/min", "search": "600/min", "upload": "1200/min", "log_in": "30/min"},
    # How many reverse proxies stand in front; else X-Forwarded-For would evade the rate of log-ins.
    "NUM_PROXIES": env.int("SIGHTLINE_PROXIES", default=0),
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "archive.api.errors.one_shape",
    "DEFAULT_VERSIONING_CLASS": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Sightline",
    "DESCRIPTION": "Search photos by words and by pictures. Log in with `Authorization: Token ...`.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "ENUM_NAME_OVERRIDES": {"BatchStateEnum": "archive.models.batches.BatchState"},
}

# ---- Language, time, logs ----------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname).1s %(name)s: %(message)s"}},
    # open_clip tells the root logger about every step of loading a model.
    "filters": {
        "chatter": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: record.name != "root" or record.levelno >= logging.WARNING,
        }
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["chatter"],
            "stream": sys.stderr,
        }
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"axes": {"level": "WARNING"}, "PIL": {"level": "WARNING"}, "httpx": {"level": "WARNING"}},
}
# The libraries never fetch anything by themselves: `space fetch` does, and says what.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
