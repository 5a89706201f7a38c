"""The project's configuration as this wire writes it: flat maps of dotted keys in three levels over defaults.

Pure: a document goes in, a document comes out. What the levels hold is kept in the configuration's extras, so that
nothing that a caller sent is lost; the rest of the house reads the typed fields that `typed` makes of it.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from oneself.actions.native import APPS
from oneself.model import Policy, ProjectConfig, ProviderCredentials, TrustedDomain

Document = dict[str, Any]
Level = Literal["project", "branch", "environment"]
LEVELS: tuple[Level, ...] = ("project", "branch", "environment")
EXTRAS = "stack_overrides"
MERGES = {"link_method": "link", "raise_error": "refuse", "allow_duplicates": "duplicate"}
STRATEGIES = {ours: theirs for theirs, ours in MERGES.items()}

DEFAULTS: Document = {
    "project": {"requirePublishableClientKey": False},
    "domains": {"allowLocalhost": False, "trustedDomains": {}},
    "auth": {
        "allowSignUp": True,
        "password": {"allowSignIn": False},
        "otp": {"allowSignIn": False},
        "passkey": {"allowSignIn": False},
        "oauth": {"accountMergeStrategy": "link_method", "providers": {}},
    },
    "onboarding": {"requireEmailVerification": False},
    "teams": {"createPersonalTeamOnSignUp": False, "allowClientTeamCreation": False},
    "users": {"allowClientUserDeletion": False},
}
PROVIDER_DEFAULTS: Document = {"isShared": True, "allowSignIn": False, "allowConnectedAccounts": False}
DOMAIN_DEFAULTS: Document = {"handlerPath": "/handler"}

# Where each plain setting stands: its path here, and the typed field that it is.
_SETTINGS: tuple[tuple[str, str], ...] = (
    ("project.requirePublishableClientKey", "require_publishable_client_key"),
    ("domains.allowLocalhost", "allow_localhost"),
    ("auth.password.allowSignIn", "password_enabled"),
    ("auth.otp.allowSignIn", "otp_enabled"),
    ("onboarding.requireEmailVerification", "require_email_verification"),
    ("teams.createPersonalTeamOnSignUp", "personal_team_on_sign_up"),
    ("teams.allowClientTeamCreation", "client_team_creation"),
    ("users.allowClientUserDeletion", "client_user_deletion"),
)
_PROVIDER_FIELDS: tuple[tuple[str, str], ...] = (
    ("type", "provider"),
    ("isShared", "shared"),
    ("clientId", "client_id"),
    ("allowSignIn", "allow_sign_in"),
    ("allowConnectedAccounts", "allow_connected_accounts"),
    ("microsoftTenantId", "tenant"),
)
# A secret never stands in the document: this text says that there is one.
SECRET_KEPT = "********"
# The option of a provider that holds the id of a Facebook Login configuration.
FACEBOOK = "facebook_config_id"


class Misfit(Exception):
    """What somebody sent cannot be a configuration; its text says why."""


def overrides_of(config: ProjectConfig) -> Document:
    """The levels as they are kept; a project that had none yet begins with its typed fields as the base."""
    kept = config.extras.get(EXTRAS)
    if isinstance(kept, dict):
        return copy.deepcopy(kept)
    return {"base": flat(config)} | {level: {} for level in LEVELS}


def override(
    kept: Document, level: str, changes: Mapping[str, Any], drops: Iterable[str] = (), *, whole: bool = False
) -> Document:
    """The levels after changes at one of them: each new key drops the old key and its children, then it is set.

    `drops` go without anything in their place; with `whole` nothing of the level stays but the changes.
    """
    changed = copy.deepcopy(kept)
    target: Document = changed[level]
    if whole:
        target.clear()
    for key in drops:
        _drop(target, key)
    for key, value in changes.items():
        for old in [name for name in target if name == key or name.startswith(f"{key}.")]:
            del target[old]
        target[key] = value
    return changed


def _drop(target: Document, key: str) -> None:
    """Take a key and its children out, also where they stand inside the value of a key above."""
    for name, value in list(target.items()):
        if name == key or name.startswith(f"{key}."):
            del target[name]
        elif key.startswith(f"{name}.") and isinstance(value, dict):
            _drop(value, key.removeprefix(f"{name}."))


def rendered(kept: Document) -> Document:
    """Everything over the defaults, nested: base, then project, branch and environment; null deletes."""
    whole = copy.deepcopy(DEFAULTS)
    for level in ("base", *LEVELS):
        flat_level = kept.get(level) or {}
        for key in sorted(flat_level, key=lambda name: name.count(".")):
            _set(whole, key.split("."), flat_level[key])
    _fill(whole)
    return whole


def typed(config: ProjectConfig, kept: Document, secrets: Mapping[str, bytes]) -> ProjectConfig:
    """The typed configuration that the levels mean; `secrets` are sealed client secrets that came with a change.

    What this wire does not speak of stays as it was. Raises Misfit.
    """
    whole = rendered(kept)
    fields: dict[str, Any] = {}
    for path, field in _SETTINGS:
        value = _at(whole, path)
        if not isinstance(value, bool):
            raise Misfit(f"{path} must be true or false")
        fields[field] = value
    old = {entry.config_id: entry for entry in config.providers}
    entries = _section(whole, "auth.oauth.providers")
    fields["providers"] = tuple(
        _credentials(name, entry, old.get(name), secrets.get(name)) for name, entry in entries.items()
    )
    fields["trusted_domains"] = tuple(
        _domain(name, entry) for name, entry in _section(whole, "domains.trustedDomains").items()
    )
    policy = config.policies.get("stack", Policy())
    fields["policies"] = config.policies | {"stack": _policy(policy, whole)}
    fields["extras"] = config.extras | {EXTRAS: kept}
    return msgspec.structs.replace(config, **fields)


def flat(config: ProjectConfig) -> Document:
    """A typed configuration as a flat map of this wire."""
    document: Document = {path: getattr(config, field) for path, field in _SETTINGS}
    policy = config.policies.get("stack", Policy())
    document["auth.allowSignUp"] = policy.sign_up
    document["auth.oauth.accountMergeStrategy"] = STRATEGIES[policy.email_match]
    for entry in config.providers:
        shown = {theirs: getattr(entry, ours) for theirs, ours in _PROVIDER_FIELDS}
        if entry.client_secret:
            shown["clientSecret"] = SECRET_KEPT
        if apps_of(entry):
            shown["appleBundles"] = {str(index): {"bundleId": one} for index, one in enumerate(apps_of(entry))}
        shown["facebookConfigId"] = entry.options.get(FACEBOOK, "")
        document[f"auth.oauth.providers.{entry.config_id}"] = {k: v for k, v in shown.items() if v != ""}
    for index, domain in enumerate(config.trusted_domains):
        document[f"domains.trustedDomains.{index}"] = {"baseUrl": domain.base_url, "handlerPath": domain.handler_path}
    return document


def take_secrets(changes: Mapping[str, Any]) -> tuple[Document, dict[str, str]]:
    """Take the client secrets out of changes: the changes with marks in their place, and the secrets by provider."""
    found: dict[str, str] = {}
    cleaned = {key: _without_secrets(key.split("."), value, found) for key, value in changes.items()}
    return cleaned, found


def with_secrets(level: Mapping[str, Any], secrets: Mapping[str, str]) -> Document:
    """A level with the client secrets themselves where there are marks; `secrets` are by provider."""
    return {key: _revealed(key.split("."), value, secrets) for key, value in level.items()}


def _revealed(path: list[str], value: Any, secrets: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _revealed([*path, *key.split(".")], part, secrets) for key, part in value.items()}
    return secrets.get(path[3], "") if _names_secret(path) and value == SECRET_KEPT else value


def _names_secret(path: list[str]) -> bool:
    return len(path) == 5 and path[:3] == ["auth", "oauth", "providers"] and path[4] == "clientSecret"


def _without_secrets(path: list[str], value: Any, found: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets([*path, *key.split(".")], part, found) for key, part in value.items()}
    if _names_secret(path) and isinstance(value, str) and value not in ("", SECRET_KEPT):
        found[path[3]] = value
        return SECRET_KEPT
    return value


def _set(whole: Document, path: list[str], value: Any) -> None:
    *parents, last = path
    place = whole
    for name in parents:
        below = place.get(name)
        if not isinstance(below, dict):
            below = place[name] = {}
        place = below
    if value is None:
        place.pop(last, None)
    elif isinstance(value, dict):
        place[last] = {}
        for key, part in value.items():
            _set(place[last], key.split("."), part)
        if _is_settings(path):
            place[last] = _over(_at(DEFAULTS, ".".join(path)), place[last])
    else:
        place[last] = value


def _is_settings(path: list[str]) -> bool:
    """Whether a path names a group of settings, which has defaults of its own, and not an entry of a map."""
    return isinstance(_at(DEFAULTS, ".".join(path)), dict)


def _over(base: Any, given: Document) -> Document:
    merged = copy.deepcopy(base) if isinstance(base, dict) else {}
    for key, value in given.items():
        below = merged.get(key)
        merged[key] = _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _fill(whole: Document) -> None:
    for path, defaults in (("auth.oauth.providers", PROVIDER_DEFAULTS), ("domains.trustedDomains", DOMAIN_DEFAULTS)):
        section = _at(whole, path)
        if isinstance(section, dict):
            for name, entry in section.items():
                section[name] = defaults | entry if isinstance(entry, dict) else entry


def _at(whole: Document, path: str) -> Any:
    place: Any = whole
    for name in path.split("."):
        place = place.get(name) if isinstance(place, dict) else None
    return place


def _section(whole: Document, path: str) -> dict[str, Document]:
    section = _at(whole, path)
    if section is None:
        return {}
    if not isinstance(section, dict) or not all(isinstance(entry, dict) for entry in section.values()):
        raise Misfit(f"{path} must be a map of objects")
    return section


def _credentials(
    name: str, entry: Document, old: ProviderCredentials | None, secret: bytes | None
) -> ProviderCredentials:
    if old is not None and old.provider != entry.get("type"):
        old = None
    fields: dict[str, Any] = {"options": _with_options(name, entry, old)}
    for theirs, ours in _PROVIDER_FIELDS:
        value = entry.get(theirs, "")
        expected = bool if theirs in PROVIDER_DEFAULTS else str
        if not isinstance(value, expected):
            raise Misfit(f"auth.oauth.providers.{name}.{theirs} is of the wrong type")
        fields[ours] = value
    if not fields["provider"]:
        raise Misfit(f"auth.oauth.providers.{name}.type is missing")
    if secret is not None:
        fields["client_secret"] = secret
    elif entry.get("clientSecret") != SECRET_KEPT:
        fields["client_secret"] = b""
    if old is not None:
        return msgspec.structs.replace(old, **fields)
    return ProviderCredentials(config_id=name, **fields)


def _with_options(name: str, entry: Document, old: ProviderCredentials | None) -> dict[str, str]:
    """The options of a provider: the bundle ids of the project's apps, Facebook's configuration, and what was there."""
    bundles = entry.get("appleBundles") or {}
    if not isinstance(bundles, dict):
        raise Misfit(f"auth.oauth.providers.{name}.appleBundles must be a map of objects")
    ids = [bundle.get("bundleId") if isinstance(bundle, dict) else None for bundle in bundles.values()]
    if not all(isinstance(one, str) and one and len(one.split()) == 1 for one in ids):
        raise Misfit(f"auth.oauth.providers.{name}.appleBundles must name a bundleId each")
    facebook = entry.get("facebookConfigId") or ""
    if not isinstance(facebook, str):
        raise Misfit(f"auth.oauth.providers.{name}.facebookConfigId is of the wrong type")
    said = {APPS: " ".join(str(one) for one in ids), FACEBOOK: facebook}
    options = (old.options if old else {}) | said
    return {key: value for key, value in options.items() if value or key not in said}


def apps_of(entry: ProviderCredentials) -> list[str]:
    """The bundle ids of the project's apps at a provider."""
    return entry.options.get(APPS, "").split()


def _domain(name: str, entry: Document) -> TrustedDomain:
    base_url, handler_path = entry.get("baseUrl"), entry.get("handlerPath")
    if not isinstance(base_url, str) or not isinstance(handler_path, str):
        raise Misfit(f"domains.trustedDomains.{name} must have a baseUrl")
    return TrustedDomain(base_url=base_url, handler_path=handler_path)


def _policy(policy: Policy, whole: Document) -> Policy:
    sign_up = _at(whole, "auth.allowSignUp")
    strategy = _at(whole, "auth.oauth.accountMergeStrategy")
    if not isinstance(sign_up, bool):
        raise Misfit("auth.allowSignUp must be true or false")
    if strategy not in MERGES:
        raise Misfit("auth.oauth.accountMergeStrategy must be one of " + ", ".join(MERGES))
    return msgspec.structs.replace(policy, sign_up=sign_up, email_match=MERGES[strategy])
