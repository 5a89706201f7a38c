"""django-allauth as its documentation sets it up: Django's sessions in PostgreSQL, under gunicorn with one worker.

Runs in an environment of its own (requirements.lock). Arguments: port, database URL, the provider's address.
https://docs.allauth.org/en/latest/installation/quickstart.html
"""

import sys
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from gunicorn.app.base import BaseApplication

PORT, DATABASE, PROVIDER = int(sys.argv[1]), urlsplit(sys.argv[2]), sys.argv[3]
THREADS = 6
"""Each thread keeps a connection to the database, so that there are as many as the other servers have."""

settings.configure(
    ALLOWED_HOSTS=["localhost"],
    SECRET_KEY="a secret of the benchmark, of more than thirty-two bytes",
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": DATABASE.path.lstrip("/"),
            "USER": DATABASE.username,
            "PASSWORD": DATABASE.password or "",
            "HOST": DATABASE.hostname,
            "PORT": DATABASE.port,
            "CONN_MAX_AGE": None,
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "allauth",
        "allauth.account",
        "allauth.socialaccount",
        "allauth.socialaccount.providers.google",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ],
    AUTHENTICATION_BACKENDS=[
        "django.contrib.auth.backends.ModelBackend",
        "allauth.account.auth_backends.AuthenticationBackend",
    ],
    USE_TZ=True,
    LOGIN_REDIRECT_URL="/done",
    ACCOUNT_RATE_LIMITS=False,
    # A link to the login begins the trip at once, without a page that asks first.
    SOCIALACCOUNT_LOGIN_ON_GET=True,
    SOCIALACCOUNT_PROVIDERS={
        "google": {
            "APPS": [{"client_id": "benchmark", "secret": "benchmark-secret", "key": ""}],
            "SCOPE": ["openid", "profile", "email"],
            "OAUTH_PKCE_ENABLED": True,
            "AUTHORIZE_URL": f"{PROVIDER}/google/o/oauth2/v2/auth",
            "ACCESS_TOKEN_URL": f"{PROVIDER}/google/token",
        }
    },
)
django.setup()


def me(request: HttpRequest) -> JsonResponse:
    """Who is signed in."""
    if not request.user.is_authenticated:
        return JsonResponse({}, status=401)
    return JsonResponse({"id": request.user.pk, "email": request.user.email})


urlpatterns = [path("me", me), path("accounts/", include("allauth.urls"))]


class Server(BaseApplication):
    """gunicorn with one worker of several threads, and connections that stay open."""

    def load_config(self) -> None:
        """What else stands in its command line."""
        said = {"bind": f"127.0.0.1:{PORT}", "workers": 1, "threads": THREADS, "keepalive": 75, "loglevel": "error"}
        for name, value in said.items():
            self.cfg.set(name, value)

    def load(self) -> object:
        """The application."""
        return get_wsgi_application()


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    connections.close_all()
    Server().run()
