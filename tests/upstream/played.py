"""A recorded provider, played by the scripted server: same facts, addresses of ours."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from oneself.model import ProviderCredentials, Secret
from oneself.providers.spec import Provider
from oneself.upstream.client import Client, resolve
from tests.providers.recorded import CLIENT_ID, credentials
from tests.upstream.conftest import NOW
from tests.upstream.scripted import Scripted, says, text
from tests.upstream.signing import jwks, p256, rsa, signed

REDIRECT_URI = "https://app.example/callback"
NONCE = "n-0123456789"
PEM = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgoq2OkQpmZRZj+8Nh
LMBNrgREfKnhSa6ytVjl7UrGK9KhRANCAASuE1K0G2OO9WUYkpxVKaoplvcRHKhF
Iv1Me+xpzd3ekbpoMztHdTlqroYWU+XNDobYTQu0N/5nnRai61ex8b2I
-----END PRIVATE KEY-----
"""


def secret_of(provider: Provider) -> Secret:
    """A client secret, or the key that signs one."""
    return Secret(PEM if provider.signed_secret else "secret-of-ours")


def played(provider: Provider, server: Scripted, settings: ProviderCredentials | None = None) -> Client:
    """The client of a provider, its addresses moved to the scripted server and nothing else."""
    settings = settings or credentials(provider, {"options": {}})
    client = resolve(provider, settings, secret_of(provider))
    names = {"authorization", "token", "jwks", *client.endpoints}
    moved = {name: f"{server.base}/{name}" for name in names}
    if "revocation" in moved and "{" in client.endpoints["revocation"]:
        moved["revocation"] += "/{token}{subject}"
    server.answers.setdefault("/jwks", says(jwks(rsa(), p256("key-2"))))
    return replace(client, endpoints=MappingProxyType(moved))


def claims_of(client: Client, claims: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Recorded claims, with what every id_token carries."""
    issuers = client.id_token.issuers if client.id_token else ("https://issuer.example",)
    issuer = issuers[0]
    for name, value in claims.items():
        issuer = issuer.replace(f"{{{name}}}", str(value))
    now = NOW // 1_000_000
    return {"iss": issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 600, "nonce": NONCE} | {
        **claims,
        **more,
    }


def token_of(client: Client, account: dict[str, Any]) -> dict[str, Any]:
    """The recorded token answer, with an id_token that is really signed."""
    answer = dict(account["token"])
    if account.get("claims") is not None:
        alg = account.get("signing", "RS256")
        key = p256("key-2") if alg == "ES256" else rsa()
        claims = claims_of(client, account["claims"])
        answer["id_token"] = signed(claims, key=key, alg=alg, kid=key.kid)
    return answer


def play(server: Scripted, client: Client, account: dict[str, Any]) -> None:
    """Let the server answer as one recorded account."""
    server.answers["/token"] = says(token_of(client, account))
    for name, body in account.get("documents", {}).items():
        server.answers[f"/{name}"] = says(body)
    for name, status in account.get("refused_documents", {}).items():
        server.answers[f"/{name}"] = says({"message": "Not here"}, status)


def failing(entry: dict[str, Any]) -> Any:
    """The answer of a recorded failure."""
    if "form" in entry:
        return text(entry["form"], "application/x-www-form-urlencoded", entry["status"])
    return says(entry["body"], entry["status"])
