"""Stack's own SDK, unmodified, in two published versions that name their headers differently."""

from __future__ import annotations

import base64
import secrets
from typing import Any, Protocol

import pytest

from tests import node_run
from tests.stack.mailed import CALLBACK, code_to, post
from tests.stack.test_mfa import new_secret, totp
from tests.stack.wire import Providers, Stack, fresh_email

pytestmark = pytest.mark.node

SDKS = ("stack-js-stack", "stack-js-hexclave")


class Play(Protocol):
    def __call__(self, scenario: str, **given: Any) -> Any: ...


@pytest.fixture(params=SDKS)
def play(request: pytest.FixtureRequest, stack: Stack) -> Play:
    """Run one scenario of `tests/node/stack_sdk.mjs` through one version of the SDK."""

    def run(scenario: str, **given: Any) -> Any:
        keys = {
            "sdk": request.param,
            "scenario": scenario,
            "baseUrl": stack.base_url,
            "projectId": stack.project_id,
            "clientKey": stack.client_key,
            "serverKey": stack.server_key,
            "adminKey": stack.admin_key,
        }
        return node_run.run("stack_sdk.mjs", send=keys | given)

    return run


def test_users(play: Play) -> None:
    email = fresh_email()
    told = play("users", email=email)
    assert told["again"] == ["Ada B.", email, True, {"more": [1, 2]}]
    assert told["me"] == [True, email, {"a": 1}, False, False]
    assert told["serverSeesIt"] is True
    assert told["listed"] == [True]
    assert told["before"] == "Myself"
    assert "Client user deletion is not enabled for this project" in told["refused"]
    assert (told["gone"], told["stranger"]) == (None, None)


def test_oauth_providers(play: Play) -> None:
    account = secrets.token_hex(6)
    told = play("oauthProviders", account=account)
    row = {
        "id": told["made"]["id"],
        "type": "google",
        "userId": told["adaId"],
        "email": "x@corp.example",
        "allowSignIn": True,
        "allowConnectedAccounts": True,
    }
    assert told["made"] == row | {"accountId": account}
    assert told["listed"] == [row]
    assert told["taken"] == "OAUTH_PROVIDER_ACCOUNT_ID_ALREADY_USED_FOR_SIGN_IN"
    assert told["shared"] == "ok"
    assert told["updated"] == {"ok": None}
    assert told["turned"] == {"error": "OAUTH_PROVIDER_ACCOUNT_ID_ALREADY_USED_FOR_SIGN_IN"}
    assert told["moved"] == {"ok": None}
    assert told["turnedAgain"] == {"ok": None}
    assert told["missing"] is None
    assert told["left"] == []


def test_connected_accounts(play: Play, stack: Stack, providers: Providers) -> None:
    person, _ = stack.sign_in(providers.newcomer())
    told = play("connectedAccounts", accessToken=person.access_token, refreshToken=person.refresh_token)
    assert [provider for provider, _ in told["connected"]] == ["google"]
    assert (told["token"], told["wide"]) == ("string", "string")
    assert (told["scoped"], told["other"]) == (None, None)


def test_sessions(play: Play) -> None:
    told = play("sessions")
    assert told["seen"] == 1
    assert told["current"] == [True, False]
    assert "Cannot delete the current session." in told["refused"]
    assert told["left"] == 1
    assert (told["impersonating"], told["third"]) == ("string", "string")
    assert told["signedOut"] is True


def test_passwords(play: Play) -> None:
    email = fresh_email()
    told = play("passwords", email=email)
    assert told == {
        "up": {"ok": None},
        "me": [email, True, True],
        "again": {"error": "USER_EMAIL_ALREADY_EXISTS"},
        "short": {"error": "PASSWORD_TOO_SHORT"},
        "wrong": {"error": "EMAIL_PASSWORD_MISMATCH"},
        "right": {"ok": None},
        "same": True,
        "mismatch": "PASSWORD_CONFIRMATION_MISMATCH",
        "changed": None,
    }


def test_anonymous(play: Play) -> None:
    email = fresh_email()
    told = play("anonymous", email=email)
    assert told == {
        "user": [True, True, {"type": "anonymous"}],
        "plainly": None,
        "up": {"ok": None},
        "upgraded": [True, False, email],
    }


def test_project(play: Play, stack: Stack) -> None:
    told = play("project")
    assert told["id"] == stack.project_id
    assert {"google", "github"} <= {entry["id"] for entry in told["config"]["oauthProviders"]}
    assert (told["config"]["signUpEnabled"], told["config"]["credentialEnabled"]) == (True, True)


def test_refresh(play: Play, stack: Stack) -> None:
    person = stack.person()
    told = play("refresh", refreshToken=person.refresh_token)
    assert told["fresh"] == person.user_id
    assert told["dead"] is None


def test_channels(play: Play) -> None:
    email = fresh_email()
    told = play("channels", email=email)
    assert told == {
        "listed": [
            [f"first-{email}", True, True, False],
            [f"second-{email}", False, True, True],
            [f"third-{email}", False, False, False],
        ],
        "left": 2,
        "primary": f"second-{email}",
    }


def test_teams(play: Play) -> None:
    told = play("teams")
    assert "Client team creation is disabled for this project" in told.pop("refused")
    assert told == {
        "listed": ["One"],
        "selected": "One",
        "renamed": "Renamed",
        "members": [True],
        "all": True,
        "people": [2, True],
        "after": 0,
        "gone": None,
    }


def test_tokens(play: Play) -> None:
    email = fresh_email()
    told = play("tokens", email=email)
    assert told["partial"] == [True, "Ada", email, False]
    assert "x-stack-auth" in told["headers"]
    assert told["json"] == ["accessToken", "refreshToken"]
    assert (told["same"], told["client"], told["current"]) == (True, True, True)
    assert told["after"] == [True, {"plan": "free"}]


def test_admin(play: Play, stack: Stack) -> None:
    told = play("admin")
    assert told["user"] is None
    project_id, credential, providers = told["project"]
    assert (project_id, credential) == (stack.project_id, True)
    assert {"google", "github"} <= set(providers)
    assert told["key"] == ["pck_", "ssk_", None]
    assert (told["works"], told["lastFour"], told["valid"]) == (True, True, False)
    assert told["why"] == [None, "manually-revoked"]
    wanted = {"onboarding.requireEmailVerification": True}
    assert told["config"] == [True, wanted, {}, {"project.requirePublishableClientKey": False}]


@pytest.mark.parametrize("sdk", SDKS)
def test_owning_projects(internal: Stack, sdk: str) -> None:
    given = {
        "sdk": sdk,
        "scenario": "owning",
        "email": fresh_email(),
        "baseUrl": internal.base_url,
        "projectId": "internal",
        "clientKey": internal.client_key,
        "serverKey": internal.server_key,
        "adminKey": internal.admin_key,
    }
    told = node_run.run("stack_sdk.mjs", send=given)
    assert told == {
        "owned": [True],
        "inside": "Inside",
        "fresh": ["Still mine", False, True, True],
        "left": True,
    }


def test_mailed_codes_and_a_second_factor(play: Play, stack: Stack) -> None:
    newcomer, unproved, nobody = fresh_email(), fresh_email(), fresh_email()
    proved = {"primary_email_verified": True, "primary_email_auth_enabled": True, "password": "correct horse battery"}
    known, guarded = stack.person(**proved), stack.person(**proved)
    asked = play(
        "mailAsked", newcomer=newcomer, unproved=unproved, known=known.email, nobody=nobody, callbackUrl=CALLBACK
    )
    assert asked["elsewhere"] == {"error": "REDIRECT_URL_NOT_WHITELISTED"}
    assert (asked["forgot"], asked["nobody"]) == ({"ok": None}, {"ok": None})
    assert "error" not in asked["channel"]
    code = code_to(stack, newcomer, "sign_in")
    assert asked["magic"] == {"ok": {"nonce": code[6:]}}
    secret = new_secret()
    encoded = base64.b64encode(secret).decode()
    stack.ok("PATCH", f"/users/{guarded.user_id}", {"totp_secret_base64": encoded})
    body = {"email": guarded.email, "password": "correct horse battery"}
    waiting = post(stack, "/auth/password/sign-in", body).json
    answered = play(
        "mailAnswered",
        magic=code,
        verify=code_to(stack, unproved, "verify"),
        reset=code_to(stack, known.email, "reset"),
        known=known.email,
        password="another horse battery",
        attempt=waiting["details"]["attempt_code"],
        totp=totp(secret, 1),
    )
    assert answered["magic"] == {"ok": None}
    assert answered["me"] == [newcomer, True, True]
    assert answered["magicAgain"] == {"error": "VERIFICATION_CODE_ALREADY_USED"}
    assert answered["verify"] == {"ok": None}
    assert answered["verifyAgain"] == {"error": "VERIFICATION_CODE_ALREADY_USED"}
    assert (answered["look"], answered["reset"]) == ({"ok": None}, {"ok": None})
    assert answered["lookAgain"] == answered["resetAgain"] == {"error": "VERIFICATION_CODE_ALREADY_USED"}
    assert answered["signIn"] == {"ok": None}
    assert "INVALID_TOTP_CODE" in str(answered["wrongMfa"])
    assert answered["mfa"] == {"ok": None}
    assert answered["mfaUser"] == guarded.user_id
