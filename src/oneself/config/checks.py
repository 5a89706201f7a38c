"""What the types cannot say: settings that contradict each other, and settings that are unsafe to serve with."""

import ipaddress
import re
import ssl
from collections.abc import Iterator
from email.utils import parseaddr
from urllib.parse import urlsplit

from oneself.config.project import DeclaredProject, DeclaredProvider
from oneself.config.schema import Config
from oneself.model import Secret

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_STACK_ID = re.compile(rf"internal|{_UUID}")
_LEAST_TOKEN = 24
_PLACEHOLDER = "change-me"
_SHORTEST_SIGNING_KEY = 86_400
_FOR_DEVELOPMENT = "for-local-development-only"
DEV_KEY_PREFIX = "dev-"
"""How the ids of master keys begin that `oneself dev` made; `oneself serve` refuses them."""


def is_local(base_url: str) -> bool:
    """Whether a base URL can only mean this machine: localhost, or an address of the loopback."""
    host = (urlsplit(base_url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def contradictions(config: Config) -> Iterator[str]:
    """Name every setting whose value cannot be meant, each with what would be right."""
    if config.base_url:
        yield from _origin(config.base_url)
    if config.database_url and not config.engine:
        yield ("`database_url` must begin with postgresql:// or sqlite:///. Its beginning is something else.")
    for network in config.trusted_proxies:
        if not _is_network(network):
            yield (f"`trusted_proxies`: {network!r} is no address or network. Write 10.0.0.0/8 or ::1.")
    if 0 < config.lifetimes.signing_key < _SHORTEST_SIGNING_KEY:
        yield (
            f"`lifetimes.signing_key` is {config.lifetimes.signing_key} seconds, and every key stays known for a year. "
            "Write 86400 or more, or 0."
        )
    if config.provider_ca and not _holds_certificates(config.provider_ca):
        yield "`provider_ca` holds no certificates. Write them in PEM, as in -----BEGIN CERTIFICATE-----."
    if config.smtp.host and not config.smtp.sender:
        yield "`smtp.sender` is missing. A mail server without a sender's address sends nothing."
    elif config.smtp.host and not re.fullmatch(r"[^\s@]+@[^\s@]+", parseaddr(config.smtp.sender)[1]):
        yield "`smtp.sender` is no address. Write id@example.com, or Name <id@example.com>."
    if config.metrics_token and len(config.metrics_token.reveal()) < _LEAST_TOKEN:
        yield f"`metrics_token` has fewer than {_LEAST_TOKEN} characters. `openssl rand -hex 24` makes a good one."
    for name, shared in config.shared_providers.items():
        if name == "generic_oidc" and not shared.issuer:
            yield f"`shared_providers.{name}.issuer` is missing. Write the issuer's URL."
    for place, project in enumerate(config.projects):
        for problem in _project(config, project):
            yield f"`projects[{place}]` ({project.display_name}): {problem}"
    yield from _repeated(config)


def unsafe_for_serving(config: Config) -> Iterator[str]:
    """Name every setting that development may have and a serving server must not; why, and what to do."""
    if not config.master_keys:
        yield (
            "No master key. Everything secret in the database is sealed under it. Make one with "
            "`oneself keys generate`, keep it where backups of the database do not go, and give it "
            "as ONESELF_MASTER_KEYS_FILE."
        )
    elif any(key.startswith(DEV_KEY_PREFIX) for key in _key_ids(config.master_keys.reveal())):
        yield (
            "`master_keys` holds a key that `oneself dev` made. Such keys lie beside their "
            "database. Make one with `oneself keys generate`."
        )
    if not config.database_url:
        yield "No database. Set `database_url` (ONESELF_DATABASE_URL), then run `oneself migrate`."
    if config.engine == "sqlite" and config.workers > 1:
        yield (
            f"`workers` is {config.workers} on SQLite, which bears one process. Set `workers = 1`, or use PostgreSQL."
        )
    if not config.base_url:
        yield (
            "No `base_url`. It is the origin that browsers and SDKs use, and goes into callback "
            "URLs and tokens. Set it, as in https://id.example.com."
        )
    elif config.base_url.startswith("http://") and not is_local(config.base_url) and not config.allow_http:
        yield (
            f"`base_url` {config.base_url} is http and not localhost: tokens would travel in "
            "clear. Use https (a proxy in front can end TLS), or set `allow_http = true` in a "
            "closed test network."
        )
    if config.access_log == "full":
        yield (
            '`access_log = "full"` writes the codes and tokens of callback URLs into the log. Set it '
            'to "path" or "off".'
        )
    yield from _left_from_the_example(config)


def _origin(base_url: str) -> Iterator[str]:
    try:
        parts = urlsplit(base_url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        yield f"`base_url` {base_url!r} is no URL. Write https://id.example.com."
        return
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        yield f"`base_url` {base_url!r} is no http or https URL. Write https://id.example.com."
    elif parts.path or parts.query or parts.fragment or parts.username is not None:
        yield (
            f"`base_url` {base_url!r} has more than scheme, host and port. The SDKs drop a path, "
            f"so it must be {parts.scheme}://{parts.netloc.rpartition('@')[2]}, without a slash "
            "at its end."
        )


def _holds_certificates(pem: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, TypeError, ValueError):
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _project(config: Config, project: DeclaredProject) -> Iterator[str]:
    env = project.environment
    if not re.fullmatch(_UUID, project.id):
        yield "`id` must be a UUID in small letters. `uuidgen` makes one."
    if project.stytch:
        side = project.stytch
        for name, text, prefix in (
            ("project_id", side.project_id, "project"),
            ("public_token", side.public_token, "public-token"),
            ("callback_id", side.callback_id, "oauth-callback"),
        ):
            if text and not re.fullmatch(rf"{prefix}-{env}-{_UUID}", text):
                yield (f"`stytch.{name}` must be {prefix}-{env}-<uuid> in a project whose environment is {env}.")
        secret = side.secret.reveal()
        if secret and not secret.startswith(f"secret-{env}-"):
            yield (f"`stytch.secret` must begin with secret-{env}-: the SDKs tell environments by it.")
    if project.stack and not _STACK_ID.fullmatch(project.stack.project_id):
        yield "`stack.project_id` must be a UUID in small letters, or internal."
    for redirect in project.redirect_urls:
        if not urlsplit(redirect.url).scheme:
            yield f"`redirect_urls`: {redirect.url!r} is no URL. Write it whole, with its scheme."
    source = project.migrate_sessions_from
    if source and source not in project.providers:
        yield f"`migrate_sessions_from` is {source}, but there is no [projects.providers.{source}]. Add it."
    for name, provider in project.providers.items():
        for problem in _provider(config, name, provider):
            yield f"`providers.{name}`: {problem}"


def _provider(config: Config, name: str, provider: DeclaredProvider) -> Iterator[str]:
    kind = provider.provider or name
    if not _NAME.fullmatch(name):
        yield "the name may hold letters, digits, - and _, 63 at most."
    if provider.shared:
        if provider.client_id or provider.client_secret:
            yield "is shared and has a client of its own. Keep `shared`, or the client."
        if kind not in config.shared_providers:
            yield f"is shared, but there is no [shared_providers.{kind}]. Add it."
    elif not provider.client_id:
        yield "`client_id` is missing. Register a client at the provider, or set `shared = true`."
    if kind in ("generic_oidc", "oidc") and not provider.issuer and not provider.shared:
        yield "`issuer` is missing. Write the issuer's URL, as its discovery document has it."


def _repeated(config: Config) -> Iterator[str]:
    seen: dict[tuple[str, str], int] = {}
    for place, project in enumerate(config.projects):
        names = [("id", project.id)]
        if project.stytch:
            names += [("stytch.project_id", project.stytch.project_id)]
            names += [("stytch.public_token", project.stytch.public_token)]
            names += [("stytch.callback_id", project.stytch.callback_id)]
        if project.stack:
            names += [("stack.project_id", project.stack.project_id)]
        for key in (pair for pair in names if pair[1]):
            if key in seen:
                yield (f"`projects[{place}].{key[0]}` is also that of projects[{seen[key]}]. Ids are unique.")
            seen.setdefault(key, place)


def _key_ids(ring: str) -> list[str]:
    return [entry.strip().partition(":")[0] for line in ring.splitlines() for entry in line.split(",")]


def _left_from_the_example(config: Config) -> Iterator[str]:
    """Secrets that everybody can read in a public file are no secrets."""
    for name, secret in _secrets(config):
        text = secret.reveal().lower()
        if _PLACEHOLDER in text:
            yield f"`{name}` is still the example's placeholder. Put in a value of your own."
        elif _FOR_DEVELOPMENT in text and not is_local(config.base_url):
            yield (
                f"`{name}` is a key that the whole world knows from development. Make a new one "
                "with `oneself keys generate --project`."
            )


def _secrets(config: Config) -> Iterator[tuple[str, Secret]]:
    yield "master_keys", config.master_keys
    yield "database_url", config.database_url
    yield "smtp.password", config.smtp.password
    for name, shared in config.shared_providers.items():
        yield f"shared_providers.{name}.client_secret", shared.client_secret
    for place, project in enumerate(config.projects):
        where = f"projects[{place}]"
        if project.stytch:
            yield f"{where}.stytch.secret", project.stytch.secret
        if project.stack:
            yield f"{where}.stack.publishable_client_key", project.stack.publishable_client_key
            yield f"{where}.stack.secret_server_key", project.stack.secret_server_key
            yield f"{where}.stack.super_secret_admin_key", project.stack.super_secret_admin_key
        for name, provider in project.providers.items():
            yield f"{where}.providers.{name}.client_secret", provider.client_secret
