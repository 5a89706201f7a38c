"""How a client meets each provider: typed from the vendors' documentation, not read from the emulator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Play:
    """Paths below the provider's root, and what a client must know beside."""

    authorize: str
    token: str
    userinfo: str = ""
    scope: str = ""
    auth: Literal["basic", "post", "jwt"] = "post"
    pkce: bool = True
    client_id_param: str = "client_id"
    params: Mapping[str, str] = field(default_factory=dict)
    refresh: str = ""
    refreshes: bool = True
    single_use: bool = False
    refresh_wants_redirect: bool = False
    introspected: bool = False
    # the way to the subject in the user document, and to the e-mail where it has one
    subject: tuple[str, ...] = ("sub",)
    email: tuple[str, ...] = ()
    # what a refused code or a dead grant says: the field, and its value
    dead_code: tuple[str, Any] = ("error", "invalid_grant")
    dead_refresh: tuple[str, Any] = ("error", "invalid_grant")
    refusal_status: tuple[int, ...] = (400, 401)


_CLAIMS = json.dumps({"userinfo": {"email": None, "email_verified": None}, "id_token": {"email": None}})

PLAYS: dict[str, Play] = {
    "google": Play(
        authorize="/o/oauth2/v2/auth",
        token="/token",
        userinfo="/v1/userinfo",
        scope="openid email profile",
        params={"access_type": "offline"},
        email=("email",),
    ),
    "github": Play(
        authorize="/login/oauth/authorize",
        token="/login/oauth/access_token",
        userinfo="/api/v3/user",
        scope="read:user user:email",
        refreshes=False,
        subject=("id",),
        dead_code=("error", "bad_verification_code"),
        dead_refresh=("error", "bad_refresh_token"),
        refusal_status=(200,),
    ),
    "microsoft": Play(
        authorize="/common/oauth2/v2.0/authorize",
        token="/common/oauth2/v2.0/token",
        userinfo="/graph/oidc/userinfo",
        scope="openid profile email User.Read offline_access",
        email=("email",),
    ),
    "spotify": Play(
        authorize="/authorize",
        token="/api/token",
        userinfo="/v1/me",
        scope="user-read-email",
        auth="basic",
        subject=("account_id",),
        email=("email",),
    ),
    "facebook": Play(
        authorize="/v25.0/dialog/oauth",
        token="/v25.0/oauth/access_token",
        userinfo="/v25.0/me?fields=id,name,email",
        scope="email public_profile",
        pkce=False,
        refreshes=False,
        subject=("id",),
        email=("email",),
        dead_code=("error.code", 100),
    ),
    "discord": Play(
        authorize="/oauth2/authorize",
        token="/api/oauth2/token",
        userinfo="/api/users/@me",
        scope="identify email",
        auth="basic",
        single_use=True,
        subject=("id",),
        email=("email",),
    ),
    "gitlab": Play(
        authorize="/oauth/authorize",
        token="/oauth/token",
        userinfo="/oauth/userinfo",
        scope="openid profile email",
        single_use=True,
        refresh_wants_redirect=True,
        email=("email",),
    ),
    "bitbucket": Play(
        authorize="/site/oauth2/authorize",
        token="/site/oauth2/access_token",
        userinfo="/2.0/user",
        scope="account email",
        auth="basic",
        pkce=False,
        single_use=True,
        subject=("account_id",),
    ),
    "linkedin": Play(
        authorize="/oauth/v2/authorization",
        token="/oauth/v2/accessToken",
        userinfo="/v2/userinfo",
        scope="openid profile email",
        pkce=False,
        refreshes=False,
        email=("email",),
        dead_code=("error", "invalid_request"),
        dead_refresh=("error", "invalid_request"),
    ),
    "apple": Play(
        authorize="/auth/authorize",
        token="/auth/token",
        scope="name email",
        auth="jwt",
        pkce=False,
        params={"response_mode": "form_post"},
    ),
    "x": Play(
        authorize="/i/oauth2/authorize",
        token="/2/oauth2/token",
        userinfo="/2/users/me?user.fields=id,name,username,confirmed_email",
        scope="users.read tweet.read users.email offline.access",
        auth="basic",
        single_use=True,
        subject=("data", "id"),
        email=("data", "confirmed_email"),
        dead_code=("error", "invalid_request"),
        dead_refresh=("error", "invalid_request"),
    ),
    "twitch": Play(
        authorize="/oauth2/authorize",
        token="/oauth2/token",
        userinfo="/oauth2/userinfo",
        scope="openid user:read:email",
        pkce=False,
        params={"claims": _CLAIMS},
        email=("email",),
        dead_code=("message", "Invalid authorization code"),
        dead_refresh=("message", "Invalid refresh token"),
        refusal_status=(400, 403),
    ),
    "amazon": Play(
        authorize="/ap/oa",
        token="/auth/o2/token",
        userinfo="/user/profile",
        scope="profile",
        subject=("user_id",),
        email=("email",),
    ),
    "coinbase": Play(
        authorize="/oauth2/auth",
        token="/oauth2/token",
        userinfo="/v2/user",
        scope="wallet:user:read wallet:user:email offline_access",
        single_use=True,
        subject=("data", "id"),
        email=("data", "email"),
    ),
    "figma": Play(
        authorize="/oauth",
        token="/v1/oauth/token",
        refresh="/v1/oauth/refresh",
        userinfo="/v1/me",
        scope="current_user:read",
        auth="basic",
        pkce=False,
        subject=("id",),
        email=("email",),
        dead_code=("error", True),
        dead_refresh=("error", True),
    ),
    "salesforce": Play(
        authorize="/services/oauth2/authorize",
        token="/services/oauth2/token",
        userinfo="/services/oauth2/userinfo",
        scope="openid profile email refresh_token",
        subject=("user_id",),
        email=("email",),
    ),
    "slack": Play(
        authorize="/openid/connect/authorize",
        token="/api/openid.connect.token",
        userinfo="/api/openid.connect.userInfo",
        scope="openid profile email",
        pkce=False,
        refreshes=False,
        subject=("https://slack.com/user_id",),
        email=("email",),
        dead_code=("error", "invalid_code"),
        dead_refresh=("error", "invalid_refresh_token"),
        refusal_status=(200,),
    ),
    "snapchat": Play(
        authorize="/accounts/oauth2/auth",
        token="/accounts/oauth2/token",
        userinfo="/v1/me?query=%7Bme%7BexternalId%20displayName%7D%7D",
        scope="https://auth.snapchat.com/oauth2/api/user.external_id",
        subject=("data", "me", "externalId"),
    ),
    "tiktok": Play(
        authorize="/v2/auth/authorize/",
        token="/v2/oauth/token/",
        userinfo="/v2/user/info/?fields=open_id,union_id,display_name",
        scope="user.info.basic",
        client_id_param="client_key",
        subject=("data", "user", "open_id"),
        refusal_status=(200,),
    ),
    "yahoo": Play(
        authorize="/oauth2/request_auth",
        token="/oauth2/get_token",
        userinfo="/openid/v1/userinfo",
        scope="openid profile email",
        auth="basic",
        pkce=False,
        refresh_wants_redirect=True,
        email=("email",),
    ),
    "hubspot": Play(
        authorize="/oauth/authorize",
        token="/oauth/v3/token",
        userinfo="/oauth/v3/token/introspect",
        scope="oauth",
        pkce=False,
        introspected=True,
        subject=("user_id",),
        email=("user",),
        dead_code=("status", "BAD_AUTH_CODE"),
        dead_refresh=("status", "BAD_REFRESH_TOKEN"),
    ),
    "oidc": Play(
        authorize="/authorize",
        token="/token",
        userinfo="/userinfo",
        scope="openid profile email offline_access",
        auth="basic",
        single_use=True,
        email=("email",),
    ),
    "oauth2": Play(
        authorize="/authorize",
        token="/token",
        userinfo="/user",
        scope="read,write",
        auth="basic",
        single_use=True,
        subject=("id",),
        email=("profile", "mail"),
    ),
    "mock": Play(
        authorize="/auth",
        token="/token",
        userinfo="/me",
        scope="openid offline_access",
        auth="basic",
        params={"prompt": "consent"},
    ),
}


def within(document: Any, way: tuple[str, ...]) -> Any:
    """Follow a way of names into a JSON value; None where it leads nowhere."""
    for name in way:
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document
