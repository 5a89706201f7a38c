"""What each provider says of a person, and how it refuses: one test per quirk of its documentation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.emulator.plays import PLAYS, within
from tests.emulator.rig import APPLE_KEY, SECRET, Rig, apple_secret, ask

ALL = sorted(PLAYS)
WITH_DOCUMENT = sorted(name for name, play in PLAYS.items() if play.userinfo)
WITH_EMAIL = sorted(name for name, play in PLAYS.items() if play.email)


def claims(token: str) -> dict[str, Any]:
    """Read a JWT's claims without checking anything."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def said(rig: Rig, provider: str, persona: str = "ada", path: str = "") -> Any:
    return rig.document(provider, rig.sign_in(provider, persona)["access_token"], path).json()


@pytest.mark.parametrize("provider", sorted(name for name in WITH_DOCUMENT if name != "mock"))
def test_a_subject_is_the_same_every_time_and_another_for_another_person(rig: Rig, provider: str) -> None:
    way = PLAYS[provider].subject
    ada = within(said(rig, provider), way)
    rig.control("PATCH", "/personas/ada", {"email": "else@where.example", "name": "Else"})
    assert within(said(rig, provider), way) == ada
    others = {within(said(rig, provider, who), way) for who in ("rosa", "rosa-new", "mallory", "grace")}
    assert len(others - {ada}) == 4


@pytest.mark.parametrize("provider", WITH_EMAIL)
def test_an_address_and_its_absence(rig: Rig, provider: str) -> None:
    assert within(said(rig, provider), PLAYS[provider].email) == "ada@corp.example"
    assert not within(said(rig, provider, "nemo"), PLAYS[provider].email)


@pytest.mark.parametrize("provider", WITH_DOCUMENT)
def test_no_document_without_a_live_token(rig: Rig, provider: str) -> None:
    access = rig.sign_in(provider)["access_token"]
    assert rig.subject(provider, access)
    assert rig.subject(provider, "no such token") is None
    assert rig.subject(provider, "") is None
    rig.control("POST", "/revoke-access-token", {"token": access})
    assert rig.subject(provider, access) is None


def test_google(rig: Rig) -> None:
    token = rig.sign_in("google", nonce="n-1")
    assert token["scope"].split() == [
        "openid",
        "https://www.googleapis.com/auth/userinfo.email",
        "https://www.googleapis.com/auth/userinfo.profile",
    ]
    assert (token["expires_in"], token["token_type"]) == (3599, "Bearer")
    found = claims(token["id_token"])
    assert (found["iss"], found["nonce"], found["hd"]) == ("https://accounts.google.com", "n-1", "corp.example")
    linus = said(rig, "google", "linus")
    assert (linus["email_verified"], "hd" in linus) == (False, False)
    assert "hd" not in said(rig, "google", "grace")
    old = said(rig, "google", path="/oauth2/v2/userinfo")
    assert (old["id"], old["verified_email"]) == (found["sub"], True)
    assert not {"sub", "email_verified"} & set(old)


def test_google_without_openid_gives_no_id_token(rig: Rig) -> None:
    long_names = "https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile"
    token = rig.sign_in("google", scope=long_names)
    assert "id_token" not in token
    assert rig.document("google", token["access_token"]).json()["email"] == "ada@corp.example"


def test_google_callbacks_carry_more_than_a_code(rig: Rig) -> None:
    came = rig.trip("google").came
    assert came["iss"] == "https://accounts.google.com"
    assert {"scope", "authuser", "prompt", "hd"} < set(came)


def test_github_answers_forms_unless_json_is_asked_for(rig: Rig) -> None:
    trip = rig.trip("github")
    form = {"code": trip.code, "client_id": "the-client", "client_secret": SECRET, "code_verifier": trip.verifier}
    form["redirect_uri"] = "http://127.0.0.1:1/callback"
    url = rig.at("github", "/login/oauth/access_token")
    wrong = ask("POST", url, form={**form, "code": "no"})
    assert (wrong.status, wrong.form()["error"]) == (200, "bad_verification_code")
    right = ask("POST", url, form=form)
    assert right.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert right.form()["scope"] == "read:user,user:email"


def test_github_failures_are_200_with_an_error(rig: Rig) -> None:
    trip = rig.trip("github")
    other = rig.redeem(trip, redirect_uri="http://127.0.0.1:1/other")
    assert (other.status, other.json()["error"]) == (200, "redirect_uri_mismatch")
    form = {"code": trip.code, "client_id": "the-client", "client_secret": "wrong"}
    url = rig.at("github", "/login/oauth/access_token")
    secret = ask("POST", url, form=form, headers={"Accept": "application/json"})
    assert (secret.status, secret.json()["error"]) == (200, "incorrect_client_credentials")
    assert {"error", "error_description", "error_uri"} == set(secret.json())
    assert "access_token" in rig.redeem(trip).json()


def test_github_addresses(rig: Rig) -> None:
    user, emails = said(rig, "github"), said(rig, "github", path="/api/v3/user/emails")
    assert isinstance(user["id"], int)
    assert user["email"] is None
    assert said(rig, "github", "grace")["email"] == "hello@grace.example"
    primary = {"email": "ada@corp.example", "primary": True, "verified": True, "visibility": "private"}
    assert emails[0] == primary
    assert not emails[1]["verified"]
    assert said(rig, "github", "linus", "/api/v3/user/emails")[0]["verified"] is False
    assert said(rig, "github", "nemo", "/api/v3/user/emails") == []
    assert said(rig, "github", "theo", "/api/v3/user/emails")[0]["email"] == "theo@work.example"


def test_github_needs_the_scope_or_the_permission_for_addresses(rig: Rig) -> None:
    plain = rig.sign_in("github", scope="read:user")["access_token"]
    assert rig.document("github", plain, "/api/v3/user/emails").status == 404
    closed = rig.register("github", "Iv23closed", email_permission="no")
    token = rig.sign_in("github", client=closed)["access_token"]
    assert rig.document("github", token, "/api/v3/user/emails").status == 403
    assert rig.document("github", token).status == 200


def test_github_wants_a_user_agent(rig: Rig) -> None:
    token = rig.sign_in("github")["access_token"]
    bare = {"Authorization": f"Bearer {token}", "User-Agent": ""}
    assert ask("GET", rig.at("github", "/api/v3/user"), headers=bare).status == 403


def test_github_hands_back_a_grant_or_a_token(rig: Rig) -> None:
    pair = "Basic " + base64.b64encode(b"the-client:the secret of the client").decode()
    one, two = (rig.sign_in("github")["access_token"] for _ in range(2))
    url = rig.at("github", "/api/v3/applications/the-client/")
    assert ask("DELETE", url + "token", data={"access_token": one}).status == 404
    assert ask("DELETE", url + "token", data={"access_token": one}, headers={"Authorization": pair}).status == 204
    assert (rig.subject("github", one), bool(rig.subject("github", two))) == (None, True)
    three = rig.sign_in("github")["access_token"]
    assert ask("DELETE", url + "grant", data={"access_token": two}, headers={"Authorization": pair}).status == 204
    assert [rig.subject("github", token) for token in (two, three)] == [None, None]


def test_microsoft(rig: Rig) -> None:
    ada = claims(rig.sign_in("microsoft", nonce="n")["id_token"])
    assert ada["iss"] == rig.at("microsoft", f"/{ada['tid']}/v2.0")
    assert (ada["xms_edov"], ada["nonce"]) == ("1", "n")
    grace = claims(rig.sign_in("microsoft", "grace")["id_token"])
    assert grace["tid"] == "9188040d-6c67-4c5b-b112-36a304b66dad"
    assert "xms_edov" not in grace
    assert "email_verified" not in {**ada, **grace}
    silent = rig.register("microsoft", xms_edov="off")
    elsewhere = claims(rig.sign_in("microsoft", client=silent)["id_token"])
    assert "xms_edov" not in elsewhere
    assert elsewhere["oid"] == ada["oid"]
    assert elsewhere["sub"] != ada["sub"]
    me = said(rig, "microsoft", path="/graph/v1.0/me")
    assert (me["id"], me["mail"]) == (ada["oid"], "ada@corp.example")
    assert said(rig, "microsoft", "grace", "/graph/v1.0/me")["mail"] is None


def test_microsoft_names_its_template_in_discovery(rig: Rig) -> None:
    def issuer(tenant: str) -> str:
        path = f"/{tenant}/v2.0/.well-known/openid-configuration"
        return str(ask("GET", rig.at("microsoft", path)).json()["issuer"])

    assert issuer("common") == rig.at("microsoft", "/{tenantid}/v2.0")
    assert issuer("a-b-c") == rig.at("microsoft", "/a-b-c/v2.0")
    keys = ask("GET", rig.at("microsoft", "/common/discovery/v2.0/keys")).json()["keys"]
    assert keys[0]["issuer"] == rig.at("microsoft", "/{tenantid}/v2.0")


def test_microsoft_refuses_with_numbers(rig: Rig) -> None:
    said = rig.refresh("microsoft", "dead").json()
    assert (said["error"], said["error_codes"]) == ("invalid_grant", [700082])
    assert said["error_description"].startswith("AADSTS700082")


def test_spotify(rig: Rig) -> None:
    me = said(rig, "spotify", "linus")
    assert me["email"] == "linus@kernel.example"
    assert not [name for name in me if "verif" in name]
    assert me["account_id"] != me["id"]
    assert me["uri"] == f"spotify:user:{me['id']}"
    small = rig.register("spotify", mode="development")
    token = rig.sign_in("spotify", client=small, scope="user-read-email user-read-private")["access_token"]
    assert not {"email", "country", "product", "followers"} & set(rig.document("spotify", token).json())
    assert rig.document("spotify", "dead").json() == {"error": {"status": 401, "message": "The access token expired"}}


def test_spotify_takes_basic_only(rig: Rig) -> None:
    trip = rig.trip("spotify")
    form = {"grant_type": "authorization_code", "code": trip.code, "redirect_uri": "http://127.0.0.1:1/callback"}
    form |= {"code_verifier": trip.verifier, "client_id": "the-client", "client_secret": SECRET}
    posted = ask("POST", rig.at("spotify", "/api/token"), form=form)
    assert (posted.status, posted.json()["error"]) == (400, "invalid_client")
    assert rig.redeem(trip).status == 200


def test_facebook(rig: Rig) -> None:
    reply = rig.authorize("facebook", login_hint="ada")
    assert reply.headers["location"].endswith("#_=_")
    token = rig.sign_in("facebook")["access_token"]
    plain = rig.document("facebook", token, "/v25.0/me").json()
    assert set(plain) == {"id", "name"}
    url = rig.at("facebook", "/v19.0/me?fields=id,first_name,picture&access_token=" + token)
    assert ask("GET", url).json()["picture"]["data"]["is_silhouette"] is False
    proof = hmac.new(SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
    assert ask("GET", f"{url}&appsecret_proof={proof}").status == 200
    assert ask("GET", f"{url}&appsecret_proof={'0' * 64}").status == 400
    unticked = rig.sign_in("facebook", scope="public_profile")["access_token"]
    assert "email" not in rig.document("facebook", unticked).json()
    debugged = ask("GET", rig.at("facebook", f"/v25.0/debug_token?input_token={token}&access_token=app|x")).json()
    assert (debugged["data"]["is_valid"], debugged["data"]["app_id"]) == (True, "the-client")
    dead = ask("DELETE", rig.at("facebook", f"/v25.0/me/permissions?access_token={token}"))
    assert (dead.status, dead.json()) == (200, {"success": True})
    gone = rig.document("facebook", token)
    assert (gone.status, gone.json()["error"]["code"]) == (400, 190)


def test_facebook_id_token_only_with_openid(rig: Rig) -> None:
    assert "id_token" not in rig.sign_in("facebook")
    trip = rig.trip("facebook", scope="openid email", nonce="n", code_challenge="x" * 43, code_challenge_method="plain")
    assert "id_token" not in rig.redeem(trip).json()
    token = rig.redeem(trip, code_verifier="x" * 43).json()["id_token"]
    assert claims(token)["nonce"] == "n"
    assert "email_verified" not in claims(token)


def test_discord(rig: Rig) -> None:
    assert rig.trip("discord").came["iss"] == "https://discord.com"
    linus, nemo = said(rig, "discord", "linus"), said(rig, "discord", "nemo")
    assert (linus["verified"], linus["discriminator"]) == (False, "0")
    assert (nemo["email"], nemo["verified"]) == (None, False)
    plain = rig.sign_in("discord", scope="identify")
    assert not {"email", "verified"} & set(rig.document("discord", plain["access_token"]).json())
    assert "id_token" not in plain
    assert claims(rig.sign_in("discord", scope="openid identify")["id_token"])["iss"] == "https://discord.com"
    said_dead = rig.refresh("discord", "dead").json()
    assert said_dead["error_description"] == 'Invalid "refresh_token" in request.'


def test_gitlab(rig: Rig) -> None:
    token = rig.sign_in("gitlab")
    found = claims(token["id_token"])
    assert found["iss"] == rig.at("gitlab", "")
    assert (found["email"], found["email_verified"], "name" in found) == ("ada@corp.example", True, False)
    assert rig.document("gitlab", token["access_token"]).json()["sub"] == found["sub"]
    assert token["created_at"] > 1_700_000_000
    assert rig.document("gitlab", token["access_token"], "/api/v4/user").status == 403
    reader = rig.sign_in("gitlab", "linus", scope="read_user")["access_token"]
    user = rig.document("gitlab", reader, "/api/v4/user").json()
    assert (user["confirmed_at"], user["state"]) == (None, "active")
    again = rig.refresh("gitlab", token["refresh_token"]).json()
    assert rig.subject("gitlab", token["access_token"]) is None
    assert rig.subject("gitlab", again["access_token"]) == found["sub"]


def test_bitbucket(rig: Rig) -> None:
    token = rig.sign_in("bitbucket")
    assert token["scope"] == "account email"
    user = rig.document("bitbucket", token["access_token"]).json()
    assert user["uuid"].startswith("{")
    assert user["account_status"] == "active"
    emails = rig.document("bitbucket", token["access_token"], "/2.0/user/emails").json()["values"]
    assert [(entry["email"], entry["is_primary"]) for entry in emails] == [
        ("old@corp.example", False),
        ("ada@corp.example", True),
    ]
    in_query = rig.at("bitbucket", "/2.0/user?access_token=" + token["access_token"])
    assert ask("GET", in_query).status == 401
    rig.clock.pass_seconds(91 * 86_400)
    assert rig.refresh("bitbucket", token["refresh_token"]).status == 400


def test_linkedin(rig: Rig) -> None:
    token = rig.sign_in("linkedin", nonce="n")
    found, shown = claims(token["id_token"]), rig.document("linkedin", token["access_token"]).json()
    assert "nonce" not in found
    assert (found["email_verified"], shown["email_verified"]) == ("true", True)
    assert (found["locale"], shown["locale"]) == ("en_GB", {"country": "GB", "language": "en"})
    assert token["scope"] == "email,openid,profile"
    assert claims(rig.sign_in("linkedin", "linus")["id_token"])["email_verified"] == "false"


def test_linkedin_ends_tokens_of_another_scope_set(rig: Rig) -> None:
    first = rig.sign_in("linkedin")["access_token"]
    second = rig.sign_in("linkedin")["access_token"]
    assert rig.subject("linkedin", first)
    third = rig.sign_in("linkedin", scope="openid profile")["access_token"]
    assert [rig.subject("linkedin", token) for token in (first, second)] == [None, None]
    assert rig.subject("linkedin", third)


def test_apple(rig: Rig) -> None:
    first = rig.trip("apple", nonce="n")
    assert json.loads(first.came["user"])["name"] == {"firstName": "Ada", "lastName": "Byron"}
    found = claims(rig.redeem(first).json()["id_token"])
    assert (found["email_verified"], found["nonce"], found["nonce_supported"]) == ("true", "n", True)
    second = rig.trip("apple")
    assert "user" not in second.came
    assert claims(rig.redeem(rig.trip("apple", "linus")).json()["id_token"])["email_verified"] == "false"
    hidden = claims(rig.sign_in("apple", "grace")["id_token"])
    assert hidden["email"].endswith("@privaterelay.appleid.com")
    assert hidden["is_private_email"] == "true"


def test_apple_demands_form_post_and_encoded_spaces(rig: Rig) -> None:
    assert rig.authorize("apple", response_mode="query", login_hint="ada").redirected()["error"] == "invalid_request"
    assert rig.authorize("apple", response_mode="query", scope="", login_hint="ada").redirected()["code"]
    query = "client_id=the-client&redirect_uri=http://127.0.0.1:1/callback&response_type=code&response_mode=form_post"
    plus = ask("GET", rig.at("apple", "/auth/authorize?scope=name+email&login_hint=ada&" + query))
    assert "invalid_scope" in plus.text
    right = ask("GET", rig.at("apple", "/auth/authorize?scope=name%20email&login_hint=ada&" + query))
    assert 'name="code"' in right.text


def test_apple_checks_the_signed_client_secret(rig: Rig) -> None:
    pem = APPLE_KEY.as_pem(private=False).decode()
    client = rig.register("apple", public_key=pem, team_id="TEAM123456")
    trip = rig.trip("apple", client=client)
    play = PLAYS["apple"]
    form = {"grant_type": "authorization_code", "code": trip.code, "redirect_uri": "http://127.0.0.1:1/callback"}
    form["client_id"] = client.client_id
    right = apple_secret(client, play)
    for wrong in (
        "not a jwt",
        right[:-4] + "AAAA",
        apple_secret(client, play, sub="another"),
        apple_secret(client, play, aud="https://example.org"),
        apple_secret(client, play, iss="TEAM000000"),
        apple_secret(client, play, exp=1),
        apple_secret(client, play, exp=4_000_000_000),
    ):
        reply = ask("POST", rig.at("apple", "/auth/token"), form={**form, "client_secret": wrong})
        assert (reply.status, reply.json()) == (400, {"error": "invalid_client"}), wrong
    assert ask("POST", rig.at("apple", "/auth/token"), form={**form, "client_secret": right}).status == 200


def test_x(rig: Rig) -> None:
    without_pkce = rig.authorize("x", login_hint="ada").redirected()
    assert without_pkce["error"] == "invalid_request"
    assert "confirmed_email" not in said(rig, "x", "linus")["data"]
    assert said(rig, "x")["data"]["confirmed_email"] == "ada@corp.example"
    assert set(said(rig, "x", path="/2/users/me")["data"]) == {"id", "name", "username"}
    alone = rig.sign_in("x", scope="users.read")["access_token"]
    assert rig.document("x", alone).status == 403
    long_state = rig.trip("x", state="s" * 501).came
    assert long_state["error"] == "invalid_request"
    dead = rig.refresh("x", "dead").json()
    assert dead == {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}


def test_x_wants_basic(rig: Rig) -> None:
    trip = rig.trip("x")
    form = {"grant_type": "authorization_code", "code": trip.code, "redirect_uri": "http://127.0.0.1:1/callback"}
    form |= {"client_id": "the-client", "code_verifier": trip.verifier}
    reply = ask("POST", rig.at("x", "/2/oauth2/token"), form=form)
    assert (reply.status, reply.json()["error"]) == (401, "unauthorized_client")
    assert rig.redeem(trip).status == 200


def test_twitch(rig: Rig) -> None:
    token = rig.sign_in("twitch")
    assert token["scope"] == ["openid", "user:read:email"]
    shown = rig.document("twitch", token["access_token"]).json()
    assert (shown["email_verified"], shown["iss"]) == (True, "https://id.twitch.tv/oauth2")
    assert set(claims(token["id_token"])) >= {"email"}
    assert "email_verified" not in claims(token["id_token"])
    silent = rig.sign_in("twitch", claims="")["access_token"]
    assert "email" not in rig.document("twitch", silent).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert ask("GET", rig.at("twitch", "/helix/users"), headers=bearer).status == 401
    helix = ask("GET", rig.at("twitch", "/helix/users"), headers={**bearer, "Client-Id": "the-client"}).json()
    assert helix["data"][0]["id"] == shown["sub"]
    assert not [name for name in helix["data"][0] if "verif" in name]
    check = {"Authorization": f"OAuth {token['access_token']}"}
    assert ask("GET", rig.at("twitch", "/oauth2/validate"), headers=check).json()["user_id"] == shown["sub"]
    dead = rig.refresh("twitch", "dead")
    assert dead.json() == {"status": 400, "message": "Invalid refresh token"}
    gone = {"client_id": "the-client", "token": token["access_token"]}
    assert ask("POST", rig.at("twitch", "/oauth2/revoke"), form=gone).status == 200
    assert ask("POST", rig.at("twitch", "/oauth2/revoke"), form=gone).json()["message"] == "Invalid token"
    assert ask("POST", rig.at("twitch", "/oauth2/revoke"), form={**gone, "client_id": "no"}).status == 404


@pytest.mark.parametrize("provider", ["amazon", "coinbase"])
def test_these_read_a_missing_method_as_plain(rig: Rig, provider: str) -> None:
    trip = rig.trip(provider, code_challenge="y" * 43, code_challenge_method="")
    assert rig.redeem(trip, code_verifier="x" * 43).status == 400
    assert rig.redeem(trip, code_verifier="y" * 43).status == 200


def test_amazon(rig: Rig) -> None:
    token = rig.sign_in("amazon")
    assert token["access_token"].startswith("Atza|")
    assert "scope" not in token
    new = rig.refresh("amazon", token["refresh_token"]).json()["refresh_token"]
    assert new.startswith("Atzr|")
    assert new != token["refresh_token"]


def test_coinbase(rig: Rig) -> None:
    assert rig.trip("coinbase", state="short").came["error"] == "invalid_request"
    no_mail = rig.sign_in("coinbase", scope="wallet:user:read")["access_token"]
    assert "email" not in rig.document("coinbase", no_mail).json()["data"]
    comma = rig.sign_in("coinbase", scope="wallet:user:read,wallet:user:email")["access_token"]
    assert rig.document("coinbase", comma).json()["data"]["email"] == "ada@corp.example"
    for _ in range(2):
        bearer = {"Authorization": f"Bearer {comma}"}
        assert ask("POST", rig.at("coinbase", "/oauth2/revoke"), form={"token": comma}, headers=bearer).status == 200
    assert rig.subject("coinbase", comma) is None


def test_figma_keeps_one_access_token_per_person(rig: Rig) -> None:
    first = rig.sign_in("figma")
    assert first["user_id_string"] == rig.subject("figma", first["access_token"])
    second = rig.sign_in("figma")["access_token"]
    assert rig.subject("figma", first["access_token"]) is None
    assert rig.subject("figma", second)
    assert rig.redeem(rig.trip("figma"), redirect_uri="http://x.example").json()["error"] is True


def test_salesforce(rig: Rig) -> None:
    token = rig.sign_in("salesforce")
    assert "expires_in" not in token
    assert token["issued_at"].isdigit()
    shown = rig.document("salesforce", token["access_token"]).json()
    assert shown["sub"].endswith(f"/id/{shown['organization_id']}/{shown['user_id']}")
    assert (len(shown["user_id"]), shown["updated_at"]) == (18, "2026-01-02T03:04:05.000+0000")
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert ask("GET", token["id"], headers=bearer).json()["user_id"] == shown["user_id"]
    dead = rig.refresh("salesforce", "dead").json()
    assert dead == {"error": "invalid_grant", "error_description": "expired access/refresh token"}


def test_slack(rig: Rig) -> None:
    shown = said(rig, "slack")
    assert shown["ok"] is True
    assert shown["https://slack.com/user_id"] == shown["sub"]
    assert shown["https://slack.com/team_id"] != said(rig, "slack", "grace")["https://slack.com/team_id"]
    dead = rig.document("slack", "dead")
    assert (dead.status, dead.json()) == (200, {"ok": False, "error": "invalid_auth"})
    wrong = rig.redeem(rig.trip("slack"), redirect_uri="http://x.example")
    assert (wrong.status, wrong.json()) == (200, {"ok": False, "error": "bad_redirect_uri"})
    assert "date_email_verified" not in said(rig, "slack", "linus")


def test_snapchat(rig: Rig) -> None:
    shown = said(rig, "snapchat")
    assert shown["errors"] == []
    assert set(shown["data"]["me"]) == {"externalId", "bitmoji"}
    assert "@" not in json.dumps(shown)


def test_tiktok(rig: Rig) -> None:
    trip = rig.trip("tiktok")
    assert "*" in trip.code
    assert "%2A" in rig.authorize("tiktok", login_hint="ada").headers["location"]
    token = rig.redeem(trip).json()
    assert (token["scope"], token["refresh_expires_in"]) == ("user.info.basic", 31_536_000)
    shown = rig.document("tiktok", token["access_token"]).json()
    assert (shown["error"]["code"], shown["data"]["user"]["open_id"]) == ("ok", token["open_id"])
    assert rig.document("tiktok", "dead").json()["error"]["code"] == "access_token_invalid"
    wrong = rig.redeem(trip)
    assert (wrong.status, wrong.json()["error"]) == (200, "invalid_grant")


def test_tiktok_desktop_apps_send_hex(rig: Rig) -> None:
    desktop = rig.register("tiktok", pkce_encoding="hex")
    assert rig.trip("tiktok", client=desktop).came["error"] == "invalid_request"
    verifier = "v" * 50
    challenge = hashlib.sha256(verifier.encode()).hexdigest()
    trip = rig.trip("tiktok", client=desktop, code_challenge=challenge)
    assert rig.redeem(trip).json()["error"] == "invalid_grant"
    assert "access_token" in rig.redeem(trip, code_verifier=verifier).json()


def test_yahoo(rig: Rig) -> None:
    refused = rig.trip("yahoo", code_challenge="x" * 43, code_challenge_method="S256").came
    assert (refused["error"], refused["error_description"]) == ("unauthorized_client", "invalid client id")
    token = rig.sign_in("yahoo")
    header = json.loads(base64.urlsafe_b64decode(token["id_token"].split(".")[0] + "=="))
    assert header["alg"] == "ES256"
    assert token["xoauth_yahoo_guid"] == claims(token["id_token"])["sub"]
    metadata = ask("GET", rig.at("yahoo", "/.well-known/openid-configuration")).json()
    assert "revocation_endpoint" not in metadata
    assert metadata["token_revocation_endpoint"].endswith("/oauth2/revoke")


def test_hubspot(rig: Rig) -> None:
    token = rig.sign_in("hubspot")
    shown = rig.document("hubspot", token["access_token"]).json()
    assert (shown["user"], shown["user_id"], shown["active"]) == ("ada@corp.example", token["user_id"], True)
    old = ask("GET", rig.at("hubspot", "/oauth/v1/access-tokens/" + token["access_token"])).json()
    assert old["hub_id"] == token["hub_id"]
    dead = rig.refresh("hubspot", "dead")
    assert (dead.status, dead.json()["status"], "error" in dead.json()) == (400, "BAD_REFRESH_TOKEN", False)
    gone = rig.at("hubspot", "/oauth/v1/refresh-tokens/" + token["refresh_token"])
    assert ask("DELETE", gone).status == 204
    assert rig.refresh("hubspot", token["refresh_token"]).json()["status"] == "BAD_REFRESH_TOKEN"


def test_plain_oauth2_has_habits_of_its_own(rig: Rig) -> None:
    token = rig.sign_in("oauth2")
    assert (token["expires_in"], token["scope"]) == ("3600", ["read", "write"])
    assert said(rig, "oauth2")["profile"]["mail_ok"] == 1
    assert said(rig, "oauth2", "linus")["profile"]["mail_ok"] == 0


def test_mock_signs_anybody_in_and_says_only_sub(rig: Rig) -> None:
    token = rig.sign_in("mock", "new.person@example.org")
    assert rig.document("mock", token["access_token"]).json() == {"sub": "new.person@example.org"}
    assert claims(token["id_token"])["sub"] == "new.person@example.org"
    assert rig.trip("mock", "new.person@example.org").came["iss"] == rig.at("mock", "")


@pytest.mark.parametrize(
    ("provider", "error"),
    [(name, "access_denied") for name in ALL if name not in ("linkedin", "apple")]
    + [("linkedin", "user_cancelled_authorize"), ("apple", "user_cancelled_authorize")],
)
def test_saying_no_comes_back_in_the_providers_word(rig: Rig, provider: str, error: str) -> None:
    came = rig.trip(provider, "deny").came
    assert (came["error"], came["state"], "code" in came) == (error, "a-state-of-sixteen", False)
    assert "code" in rig.trip(provider).came
    if provider == "facebook":
        assert (came["error_reason"], came["error_code"]) == ("user_denied", "200")
