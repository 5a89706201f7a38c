"""`/oauth-providers`: the outside accounts of users, made, read, changed and unlinked."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from oneself.actions import accounts
from oneself.model import ExternalAccount
from oneself.wire.http import Reply
from oneself.wire.stack import render
from oneself.wire.stack.fields import Email, Form, UserId, Uuid
from oneself.wire.stack.live import require_live_session
from oneself.wire.stack.operation import CLIENT, SERVER, Call, Operation, done, items, operation
from oneself.wire.stack.refusals import plain
from oneself.wire.stack.replies import OAuthProvider, OAuthProviders, Success


class CreateBody(Form):
    """A link that the application's own server vouches for."""

    user_id: UserId
    provider_config_id: str
    allow_sign_in: bool
    allow_connected_accounts: bool
    account_id: str
    email: Email | UnsetType = UNSET


class ListQuery(Form):
    """Whose links are wanted."""

    user_id: UserId | UnsetType = UNSET


class RowPath(Form):
    """One link of one user."""

    user_id: UserId
    provider_id: Uuid


class ClientChange(Form):
    """What users may change of their own links."""

    allow_sign_in: bool | UnsetType = UNSET
    allow_connected_accounts: bool | UnsetType = UNSET


class ServerChange(ClientChange):
    """What the application's server may change besides."""

    email: Email | UnsetType = UNSET
    account_id: str | UnsetType = UNSET


async def create(call: Call, body: CreateBody) -> Reply:
    """Link an outside account to a user, without a browser trip."""
    account = await accounts.add(
        call.rt,
        call.project,
        accounts.NewAccount(
            user_id=body.user_id,
            config_id=body.provider_config_id,
            subject=body.account_id,
            email=body.email or "",
            allow_sign_in=body.allow_sign_in,
            allow_connected_accounts=body.allow_connected_accounts,
        ),
        actor=f"stack:{call.access}",
    )
    return done(call, render.oauth_provider(call.project, account, call.access))


async def listing(call: Call, query: ListQuery) -> Reply:
    """List links, oldest first: a user's own, or with server access anybody's."""
    user_id = query.user_id or ""
    call.require_self(user_id, "Client can only list OAuth providers for their own user.")
    rows = await accounts.listing(call.rt, call.project, user_id or None)
    shown = [
        render.oauth_provider(call.project, row, call.access) for row in rows if render.provider_type(call.project, row)
    ]
    return items(call, shown)


async def read(call: Call) -> Reply:
    """Read one link."""
    path: RowPath = call.params
    call.require_self(path.user_id, "Client can only read OAuth providers for their own user.")
    row = await accounts.read(call.rt, call.project, path.user_id, path.provider_id)
    _check_configured(call, row)
    return done(call, render.oauth_provider(call.project, row, call.access))


async def update(call: Call, body: ClientChange) -> Reply:
    """Change what a link is good for, and with server access which account it names."""
    path: RowPath = call.params
    call.require_self(path.user_id, "Client can only update OAuth providers for their own user.")
    await require_live_session(call)
    changes = accounts.AccountChanges(
        allow_sign_in=body.allow_sign_in,
        allow_connected_accounts=body.allow_connected_accounts,
        email=body.email if isinstance(body, ServerChange) else UNSET,
        subject=body.account_id if isinstance(body, ServerChange) else UNSET,
    )
    row = await accounts.change(
        call.rt,
        call.project,
        path.user_id,
        path.provider_id,
        changes,
        actor=f"stack:{call.access}",
        check=lambda row: _check_configured(call, row),
    )
    return done(call, render.oauth_provider(call.project, row, call.access))


async def delete(call: Call) -> Reply:
    """Unlink: the row and the provider's tokens go."""
    path: RowPath = call.params
    call.require_self(path.user_id, "Client can only delete OAuth providers for their own user.")
    await require_live_session(call)
    await accounts.remove(call.rt, call.project, path.provider_id, path.user_id, actor=f"stack:{call.access}")
    return done(call, {"success": True})


def _check_configured(call: Call, row: ExternalAccount) -> None:
    """Refuse a row whose provider is gone from the configuration, where not even its id tells which one it was."""
    if not render.provider_type(call.project, row):
        raise plain(404, f"OAuth provider {row.config_id} not found or not configured")


def _row_facts(call: Call) -> dict[str, Any]:
    return msgspec.structs.asdict(call.params)


def _config_facts(call: Call) -> dict[str, Any]:
    return {"config_id": call.body.provider_config_id}


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "POST",
        "/oauth-providers",
        create,
        "Link an outside account to a user",
        allowed=SERVER,
        status=201,
        body=CreateBody,
        response=OAuthProvider,
        facts=_config_facts,
    ),
    operation(
        "GET",
        "/oauth-providers",
        listing,
        "List linked accounts",
        allowed=CLIENT,
        query=ListQuery,
        response=OAuthProviders,
    ),
    operation(
        "GET",
        "/oauth-providers/{user_id}/{provider_id}",
        read,
        "Read a linked account",
        params=RowPath,
        response=OAuthProvider,
        facts=_row_facts,
    ),
    operation(
        "PATCH",
        "/oauth-providers/{user_id}/{provider_id}",
        update,
        "Change a linked account",
        params=RowPath,
        body=ServerChange,
        client_body=ClientChange,
        response=OAuthProvider,
        facts=_row_facts,
    ),
    operation(
        "DELETE",
        "/oauth-providers/{user_id}/{provider_id}",
        delete,
        "Unlink an account",
        params=RowPath,
        response=Success,
        facts=_row_facts,
    ),
)
