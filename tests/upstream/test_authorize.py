"""The authorize address: its order, and what nobody may set."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from oneself.faults import Fault, FaultCode
from oneself.model import ProviderCredentials, Secret
from oneself.providers.generic_oidc import GENERIC_OIDC
from oneself.providers.github import GITHUB
from oneself.providers.google import GOOGLE
from oneself.providers.spec import Provider
from oneself.upstream.authorize import PROTECTED, authorize_url
from oneself.upstream.client import Client, resolve

CALLBACK = "https://auth.example/callback?x=1"


def client(provider: Provider = GITHUB, **more: object) -> Client:
    settings = ProviderCredentials(
        config_id=provider.id,
        provider=provider.id,
        client_id="our client",
        **more,  # type: ignore[arg-type]
    )
    return resolve(provider, settings, Secret("s"))


def pairs(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


def test_the_order_is_kept() -> None:
    url = authorize_url(
        client(GOOGLE),
        redirect_uri=CALLBACK,
        state="st",
        verifier_challenge="ch",
        scopes=("user:email", "repo", "user:email"),
        nonce="no",
        extra={"login_hint": "a@b.c", "prompt": "select_account"},
        base_params={"prompt": "consent", "include_granted_scopes": "true"},
    )
    assert url.startswith("https://accounts.google.com/o/oauth2/v2/auth?client_id=our%20client&")
    assert pairs(url) == [
        ("client_id", "our client"),
        ("scope", "user:email repo openid"),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("code_challenge_method", "S256"),
        ("code_challenge", "ch"),
        ("state", "st"),
        ("access_type", "offline"),
        ("prompt", "select_account"),
        ("nonce", "no"),
        ("include_granted_scopes", "true"),
        ("login_hint", "a@b.c"),
    ]


@pytest.mark.parametrize("name", sorted(PROTECTED))
@pytest.mark.parametrize("shape", ["{}", "{} ", " {}", "{}\t"])
def test_an_application_never_sets_what_the_protocol_rests_on(name: str, shape: str) -> None:
    plain = authorize_url(client(), redirect_uri=CALLBACK, state="st", verifier_challenge="ch")
    for spelled in (shape.format(name), shape.format(name.upper())):
        assert plain == authorize_url(
            client(),
            redirect_uri=CALLBACK,
            state="st",
            verifier_challenge="ch",
            extra={spelled: "evil"},
        )


def test_text_of_an_application_adds_no_parameters() -> None:
    url = authorize_url(
        client(),
        redirect_uri=CALLBACK,
        state="a&state=b#c",
        extra={"login_hint": "x&redirect_uri=https://evil.example\r\n", "a&scope": "all"},
    )
    names = [name for name, _ in pairs(url)]
    assert names.count("redirect_uri") == names.count("scope") == names.count("state") == 1
    assert dict(pairs(url))["state"] == "a&state=b#c"


def test_no_nonce_where_none_comes_back_and_no_challenge_where_none_is_made() -> None:
    url = authorize_url(client(), redirect_uri=CALLBACK, state="st", nonce="no")
    assert "nonce" not in dict(pairs(url))
    assert "code_challenge" not in dict(pairs(url))


def test_options_travel_only_where_the_provider_takes_them() -> None:
    options = {"hd": "corp.example", "client_auth": "post", "other": "x"}
    found = dict(pairs(authorize_url(client(GOOGLE, options=options), redirect_uri="u", state="s")))
    assert found["hd"] == "corp.example"
    assert "client_auth" not in found
    assert "other" not in found


def test_an_address_with_a_query_keeps_it() -> None:
    endpoints = {"authorization": "https://idp.example/auth?p=B2C_1&x#frag"}
    url = authorize_url(client(GOOGLE, endpoints=endpoints), redirect_uri="u", state="s")
    assert url.startswith("https://idp.example/auth?p=B2C_1&x&client_id=")
    assert "#" not in url


def test_without_an_address_there_is_none() -> None:
    with pytest.raises(Fault) as caught:
        authorize_url(client(GENERIC_OIDC), redirect_uri="u", state="s")
    assert caught.value.code is FaultCode.PROVIDER_MISCONFIGURED


def test_a_self_hosted_base_moves_every_address() -> None:
    endpoints = {"base": "https://git.corp.example/", "api": "https://git.corp.example/api/v3"}
    moved = client(endpoints=endpoints)
    assert moved.address("token") == "https://git.corp.example/login/oauth/access_token"
    assert moved.address("emails") == "https://git.corp.example/api/v3/user/emails"
    assert moved.redirect_issuer == "https://git.corp.example/login/oauth"
    assert moved.issuer == "https://git.corp.example"
    assert not moved.vendor_hosted
    assert moved.address("revocation").endswith("/applications/our%20client/grant")


def test_settings_that_cannot_be_are_refused() -> None:
    for options in ({"client_auth": "magic"}, {"pkce": "maybe"}):
        with pytest.raises(Fault) as caught:
            client(options=options)
        assert caught.value.code is FaultCode.PROVIDER_MISCONFIGURED
    for tenant in ("../x", "a/b", "a?b", "", "x" * 200, "ä", "a b"):
        if tenant:
            with pytest.raises(Fault):
                client(tenant=tenant)


def test_without_a_secret_the_client_only_names_itself() -> None:
    settings = ProviderCredentials(config_id="s", provider="github", client_id="c")
    assert resolve(GITHUB, settings, Secret("")).auth == "none"
    assert resolve(GITHUB, settings, Secret("x")).auth == "post"
