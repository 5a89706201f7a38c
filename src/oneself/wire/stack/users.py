"""`/users`: people, as the application's server makes and changes them; `/users/me`: as they see themselves."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from oneself.actions import passwords, user_search
from oneself.actions import users as action
from oneself.model import Listing, Secret, UserView
from oneself.wire.http import Reply
from oneself.wire.stack import cursors, render, teams
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.fields import (
    Base64,
    DisplayName,
    FilledEmail,
    Form,
    ImageUrl,
    Json,
    Password,
    UserId,
    Uuid,
)
from oneself.wire.stack.live import require_live_session
from oneself.wire.stack.operation import CLIENT, SERVER, Call, Operation, done, operation
from oneself.wire.stack.refusals import plain
from oneself.wire.stack.replies import Success, User, Users

SHORTEST_PASSWORD = 8
MOST_LISTED = 1000
# RFC 4226 section 4 asks for 128 bits of secret and recommends 160; the vendor's pages make 20 bytes.
MIN_TOTP_SECRET, MAX_TOTP_SECRET = 10, 256


class ClientChange(Form):
    """What users may change of themselves; what is not there stays."""

    display_name: DisplayName | UnsetType | None = UNSET
    profile_image_url: ImageUrl | UnsetType | None = UNSET
    client_metadata: Json = UNSET
    primary_email: FilledEmail | UnsetType | None = UNSET
    selected_team_id: Uuid | UnsetType | None = UNSET
    totp_secret_base64: Base64 | UnsetType | None = UNSET
    otp_auth_enabled: bool | UnsetType = UNSET
    passkey_auth_enabled: bool | UnsetType = UNSET


class Described(Form):
    """What a server says of a user, new or known."""

    display_name: DisplayName | UnsetType | None = UNSET
    profile_image_url: ImageUrl | UnsetType | None = UNSET
    client_metadata: Json = UNSET
    client_read_only_metadata: Json = UNSET
    server_metadata: Json = UNSET
    primary_email: FilledEmail | UnsetType | None = UNSET
    primary_email_verified: bool | UnsetType = UNSET
    primary_email_auth_enabled: bool | UnsetType = UNSET
    passkey_auth_enabled: bool | UnsetType = UNSET
    password: Password | UnsetType | None = UNSET
    otp_auth_enabled: bool | UnsetType = UNSET
    totp_secret_base64: Base64 | UnsetType | None = UNSET
    restricted_by_admin: bool | UnsetType = UNSET
    restricted_by_admin_reason: str | UnsetType | None = UNSET
    restricted_by_admin_private_details: str | UnsetType | None = UNSET

    def complaint(self) -> str:
        """What fits no single field: words about a restriction come only with the restriction."""
        if self.restricted_by_admin is not True:
            for name in ("restricted_by_admin_reason", "restricted_by_admin_private_details"):
                if getattr(self, name) not in (None, UNSET):
                    return f"{name} must be null when restricted_by_admin is not true"
        return ""


class ServerChange(Described):
    """What a server may change of a user."""

    selected_team_id: Uuid | UnsetType | None = UNSET
    is_anonymous: Literal[False] | UnsetType = UNSET


class LinkedAccount(Form):
    """An account that a new user brings along."""

    id: str
    account_id: str
    email: str | None = None


class CreateBody(Described):
    """A new user."""

    is_anonymous: bool | UnsetType = UNSET
    oauth_providers: list[LinkedAccount] | UnsetType = UNSET


class UserPath(Form):
    """One user."""

    user_id: UserId


class ListQuery(Form):
    """Which users, in which order, from where on."""

    team_id: Uuid | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=MOST_LISTED)] | UnsetType = UNSET
    cursor: str | UnsetType = UNSET
    order_by: Literal["signed_up_at"] | UnsetType = UNSET
    desc: bool | UnsetType = UNSET
    query: str | UnsetType = UNSET
    include_restricted: bool | UnsetType = UNSET
    include_anonymous: bool | UnsetType = UNSET
    only_anonymous: bool | UnsetType = UNSET


async def create(call: Call, body: CreateBody) -> Reply:
    """Make a user on the server's word."""
    _check_email_flags(body, has_email=bool(body.primary_email))
    view = await action.create(
        call.rt,
        call.project,
        action.NewUser(
            email=(body.primary_email or "").lower(),
            email_verified=body.primary_email_verified or False,
            email_claims_sign_in=body.primary_email_auth_enabled or False,
            is_anonymous=body.is_anonymous or False,
            display_name=body.display_name or "",
            picture_url=body.profile_image_url or "",
            client_metadata=body.client_metadata or None,
            client_read_only_metadata=body.client_read_only_metadata or None,
            server_metadata=body.server_metadata or None,
            password_hash=await _password_hash(call, body.password) or "",
            totp_secret=_totp_secret(body) or b"",
            extras=extras_after({}, body),
            accounts=tuple(
                action.NewLinkedAccount(config_id=row.id, subject=row.account_id, email=row.email or "")
                for row in body.oauth_providers or ()
            ),
        ),
        dialect="stack",
        actor=f"stack:{call.access}",
    )
    return done(call, await shown(call, view))


async def read(call: Call) -> Reply:
    """Read a user."""
    return done(call, await shown(call, await action.read_with_team(call.rt, call.project, call.params.user_id)))


async def read_me(call: Call) -> Reply:
    """Read the user of the access token."""
    return done(call, await shown(call, await action.read_with_team(call.rt, call.project, call.own_id())))


async def update(call: Call, body: ServerChange) -> Reply:
    """Change a user."""
    return await _change(call, call.params.user_id, body)


async def update_me(call: Call, body: ServerChange) -> Reply:
    """Change the user of the access token: as much as the access type lets; an address only while the session lives."""
    user_id = call.own_id()
    if body.primary_email is not UNSET:
        await require_live_session(call)
    return await _change(call, user_id, body)


async def delete(call: Call) -> Reply:
    """Delete a user with all that belongs to it."""
    return await _delete(call, call.params.user_id)


async def delete_me(call: Call) -> Reply:
    """Delete the user of the access token, where the project lets users do so."""
    user_id = call.own_id()
    if call.access == "client" and not call.project.config.client_user_deletion:
        raise plain(400, "Client user deletion is not enabled for this project")
    await require_live_session(call)
    return await _delete(call, user_id)


async def listing(call: Call, query: ListQuery) -> Reply:
    """List users by sign-up time, a page at a time."""
    wanted = Listing(
        limit=query.limit or None,
        after=cursors.read(query.cursor) if query.cursor else None,
        descending=query.desc or False,
        text=(query.query or "").strip().casefold(),
        team_id=query.team_id or "",
        include_restricted=query.include_restricted or query.include_anonymous or False,
        include_anonymous=query.include_anonymous or False,
        only_anonymous=query.only_anonymous or False,
        unverified_is_restricted=call.project.config.require_email_verification,
    )
    page = await user_search.listing(call.rt, call.project, wanted)
    answer = {
        "items": await all_shown(call, page.users),
        "is_paginated": True,
        "pagination": {"next_cursor": cursors.write(page.after) if page.after else None},
    }
    return done(call, answer)


async def shown(call: Call, view: UserView) -> dict[str, Any]:
    """The user as the caller's access type sees it, with the selected team."""
    return (await all_shown(call, [view]))[0]


async def all_shown(call: Call, views: Sequence[UserView]) -> list[dict[str, Any]]:
    """Users as the caller's access type sees them, with their selected teams."""
    found = await teams.selected(call, views)
    return [
        render.user(call.project, view, call.access, found.get(view.user.extras.get("selected_team_id", "")))
        for view in views
    ]


async def _change(call: Call, user_id: str, body: ServerChange | ClientChange) -> Reply:
    if body.totp_secret_base64 is not UNSET:
        await require_live_session(call)
    if body.selected_team_id:
        await teams.require_membership(call, body.selected_team_id, user_id)
    password_hash: str | UnsetType = UNSET
    if isinstance(body, ServerChange):
        password_hash = await _password_hash(call, body.password)

    def changes(view: UserView) -> action.UserChanges:
        return _changes_of(view, body, password_hash)

    view = await action.change(call.rt, call.project, user_id, changes, dialect="stack", actor=f"stack:{call.access}")
    return done(call, await shown(call, view))


def _changes_of(
    view: UserView, body: ServerChange | ClientChange, password_hash: str | UnsetType
) -> action.UserChanges:
    common: dict[str, Any] = {
        "display_name": _or_empty(body.display_name),
        "picture_url": _or_empty(body.profile_image_url),
        "client_metadata": body.client_metadata,
        "primary_email": _lowered(body.primary_email),
        "extras": extras_after(view.user.extras, body),
        "totp_secret": _totp_secret(body),
    }
    if isinstance(body, ServerChange):
        stays = body.primary_email is UNSET and view.primary_email is not None
        _check_email_flags(body, has_email=bool(body.primary_email) or stays)
        common |= {
            "client_read_only_metadata": body.client_read_only_metadata,
            "server_metadata": body.server_metadata,
            "primary_email_verified": body.primary_email_verified,
            "primary_email_claims_sign_in": body.primary_email_auth_enabled,
            "password_hash": password_hash,
            "is_anonymous": body.is_anonymous,
        }
    return action.UserChanges(**common)


def extras_after(old: dict[str, Any], body: Described | ClientChange) -> dict[str, Any]:
    """What only this wire knows of a user, after a change."""
    new = dict(old)
    selected = getattr(body, "selected_team_id", UNSET)
    if selected is not UNSET:
        new["selected_team_id"] = selected
    if body.otp_auth_enabled is not UNSET:
        new["otp_auth_enabled"] = body.otp_auth_enabled
    if isinstance(body, Described) and body.restricted_by_admin is not UNSET:
        new["restricted_by_admin"] = body.restricted_by_admin
        for name in ("restricted_by_admin_reason", "restricted_by_admin_private_details"):
            given = getattr(body, name)
            new[name] = None if not body.restricted_by_admin else new.get(name) if given is UNSET else given
    return new


def _totp_secret(body: Described | ClientChange) -> bytes | UnsetType:
    """The secret of a second factor, empty to take it away, or UNSET to leave it."""
    given = body.totp_secret_base64
    if given is UNSET:
        return UNSET
    secret = b64decode(given) if given else b""
    if given and not MIN_TOTP_SECRET <= len(secret) <= MAX_TOTP_SECRET:
        raise plain(400, f"A TOTP secret has {MIN_TOTP_SECRET} to {MAX_TOTP_SECRET} bytes")
    return secret


def _check_email_flags(body: Described, *, has_email: bool) -> None:
    for name in ("primary_email_auth_enabled", "primary_email_verified"):
        if getattr(body, name) is True and not has_email:
            raise plain(400, f"{name} cannot be true without primary_email")


async def _password_hash(call: Call, password: str | UnsetType | None) -> str | UnsetType:
    """What to store of a password: a hash, an empty text to take it away, or UNSET to leave it."""
    if password is UNSET or password is None:
        return UNSET if password is UNSET else ""
    if not call.project.config.password_enabled:
        raise plain(400, "Password auth not enabled in the project")
    return await hash_of(call, password)


async def hash_of(call: Call, password: str) -> str:
    """The hash of an acceptable password. Raises PASSWORD_TOO_SHORT."""
    if len(password) < SHORTEST_PASSWORD:
        raise known("PASSWORD_TOO_SHORT", min_length=SHORTEST_PASSWORD)
    return await passwords.hashed(call.rt, Secret(password))


async def _delete(call: Call, user_id: str) -> Reply:
    await action.delete(call.rt, call.project, user_id, dialect="stack", actor=f"stack:{call.access}")
    return done(call, {"success": True})


def _or_empty(value: str | UnsetType | None) -> str | UnsetType:
    return "" if value is None else value


def _lowered(value: str | UnsetType | None) -> str | UnsetType:
    return value.lower() if isinstance(value, str) else _or_empty(value)


OPERATIONS: tuple[Operation, ...] = (
    operation("POST", "/users", create, "Make a user", allowed=SERVER, status=201, body=CreateBody, response=User),
    operation("GET", "/users", listing, "List users", allowed=SERVER, query=ListQuery, response=Users),
    operation("GET", "/users/me", read_me, "Read the token's user", allowed=CLIENT, response=User),
    operation(
        "PATCH",
        "/users/me",
        update_me,
        "Change the token's user",
        body=ServerChange,
        client_body=ClientChange,
        response=User,
    ),
    operation("DELETE", "/users/me", delete_me, "Delete the token's user", response=Success),
    operation("GET", "/users/{user_id}", read, "Read a user", allowed=SERVER, params=UserPath, response=User),
    operation(
        "PATCH",
        "/users/{user_id}",
        update,
        "Change a user",
        allowed=SERVER,
        params=UserPath,
        body=ServerChange,
        response=User,
    ),
    operation(
        "DELETE",
        "/users/{user_id}",
        delete,
        "Delete a user",
        allowed=SERVER,
        params=UserPath,
        response=Success,
    ),
)
