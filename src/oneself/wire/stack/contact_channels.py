"""`/contact-channels`: the addresses of users, one by one."""

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from oneself.actions import addresses, verification
from oneself.model import EmailAddress, Secret
from oneself.wire.http import Reply
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.fields import CodeBody, Email, FilledEmail, Form, Url, UserId, Uuid
from oneself.wire.stack.live import require_live_session
from oneself.wire.stack.operation import Call, Operation, done, items, operation
from oneself.wire.stack.replies import CodeChecked, ContactChannel, ContactChannels, Success


class ListQuery(Form):
    """Whose channels."""

    user_id: UserId


class ChannelPath(Form):
    """One channel of one user."""

    user_id: UserId
    contact_channel_id: Uuid


class ClientChange(Form):
    """What users may change of their channels."""

    value: FilledEmail | UnsetType = UNSET
    type: Literal["email"] | UnsetType = UNSET
    used_for_auth: bool | UnsetType = UNSET
    is_primary: bool | UnsetType = UNSET


class ServerChange(ClientChange):
    """What a server may say besides: that it knows the channel to be the user's."""

    is_verified: bool | UnsetType = UNSET


class ClientCreate(Form, kw_only=True):
    """A new channel."""

    user_id: UserId
    value: FilledEmail
    type: Literal["email"]
    used_for_auth: bool
    is_primary: bool | UnsetType = UNSET


class CallbackBody(Form):
    """Where the letter's link leads."""

    callback_url: Url


class PrimaryBody(CallbackBody):
    """Which address, by its text."""

    email: Email


class ServerCreate(ClientCreate, kw_only=True):
    """A new channel on the server's word."""

    is_verified: bool | UnsetType = UNSET


async def create(call: Call, body: ClientCreate) -> Reply:
    """Give a user another channel."""
    call.require_self(body.user_id, "Client can only create contact channels for their own user.")
    await require_live_session(call)
    row = await addresses.add(call.rt, call.project, body.user_id, _fields(body), f"stack:{call.access}")
    return done(call, _shown(row))


async def listing(call: Call, query: ListQuery) -> Reply:
    """List a user's channels, oldest first."""
    call.require_self(query.user_id, "Client can only list contact channels for their own user.")
    return items(call, [_shown(row) for row in await addresses.listing(call.rt, call.project, query.user_id)])


async def read(call: Call) -> Reply:
    """Read one channel."""
    path: ChannelPath = call.params
    call.require_self(path.user_id, "Client can only read contact channels for their own user.")
    return done(call, _shown(await addresses.read(call.rt, call.project, path.user_id, path.contact_channel_id)))


async def update(call: Call, body: ClientChange) -> Reply:
    """Change a channel; another value must be proved anew."""
    path: ChannelPath = call.params
    call.require_self(path.user_id, "Client can only update contact channels for their own user.")
    await require_live_session(call)
    row = await addresses.change(
        call.rt, call.project, path.user_id, path.contact_channel_id, _fields(body), f"stack:{call.access}"
    )
    return done(call, _shown(row))


async def delete(call: Call) -> Reply:
    """Take a channel away."""
    path: ChannelPath = call.params
    call.require_self(path.user_id, "Client can only delete contact channels for their own user.")
    await require_live_session(call)
    await addresses.remove(call.rt, call.project, path.user_id, path.contact_channel_id, f"stack:{call.access}")
    return done(call, {"success": True})


async def send_code(call: Call, body: CallbackBody) -> Reply:
    """Mail a code that proves a channel."""
    path: ChannelPath = call.params
    call.require_self(path.user_id, "Client can only send verification code for their own user.")
    await require_live_session(call)
    await verification.send(call.rt, call.project, path.user_id, path.contact_channel_id, body.callback_url)
    return done(call, {"success": True})


async def send_code_to_primary(call: Call, body: PrimaryBody) -> Reply:
    """Mail a code that proves the caller's primary address; the older form of `send_code`."""
    user_id = call.require_user().user_id
    await require_live_session(call)
    rows = await addresses.listing(call.rt, call.project, user_id)
    primary = next((row for row in rows if row.is_primary), None)
    if primary is None or primary.address.lower() != body.email.lower():
        raise known("EMAIL_IS_NOT_PRIMARY_EMAIL", email=body.email, primary_email=primary.address if primary else None)
    await verification.send(call.rt, call.project, user_id, primary.id, body.callback_url)
    return done(call, {"success": True})


async def verify(call: Call, body: CodeBody) -> Reply:
    """Prove a channel with the code that was mailed to it; whoever brings it."""
    await verification.prove(call.rt, call.project, Secret(body.code))
    return done(call, {"success": True})


async def check_code(call: Call, body: CodeBody) -> Reply:
    """Tell whether a code could be used, without using it."""
    await verification.check(call.rt, call.project, Secret(body.code))
    return done(call, {"is_code_valid": True})


def _fields(body: ClientChange | ClientCreate) -> addresses.AddressFields:
    return addresses.AddressFields(
        address=body.value.lower() if body.value else UNSET,
        claims_sign_in=body.used_for_auth,
        is_primary=body.is_primary,
        verified=getattr(body, "is_verified", UNSET),
    )


def _shown(row: EmailAddress) -> dict[str, Any]:
    return {
        "user_id": row.user_id,
        "id": row.id,
        "value": row.address,
        "type": "email",
        "used_for_auth": row.claims_sign_in,
        "is_verified": bool(row.verified_at),
        "is_primary": row.is_primary,
    }


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "POST",
        "/contact-channels",
        create,
        "Add a contact channel",
        status=201,
        body=ServerCreate,
        client_body=ClientCreate,
        response=ContactChannel,
    ),
    operation(
        "POST",
        "/contact-channels/send-verification-code",
        send_code_to_primary,
        "Mail a code that proves the primary address",
        body=PrimaryBody,
        response=Success,
    ),
    operation(
        "POST", "/contact-channels/verify", verify, "Prove a channel with its code", body=CodeBody, response=Success
    ),
    operation(
        "POST",
        "/contact-channels/verify/check-code",
        check_code,
        "Look at a channel's code",
        body=CodeBody,
        response=CodeChecked,
    ),
    operation(
        "POST",
        "/contact-channels/{user_id}/{contact_channel_id}/send-verification-code",
        send_code,
        "Mail a code that proves a channel",
        params=ChannelPath,
        body=CallbackBody,
        response=Success,
    ),
    operation("GET", "/contact-channels", listing, "List contact channels", query=ListQuery, response=ContactChannels),
    operation(
        "GET",
        "/contact-channels/{user_id}/{contact_channel_id}",
        read,
        "Read a contact channel",
        params=ChannelPath,
        response=ContactChannel,
    ),
    operation(
        "PATCH",
        "/contact-channels/{user_id}/{contact_channel_id}",
        update,
        "Change a contact channel",
        params=ChannelPath,
        body=ServerChange,
        client_body=ClientChange,
        response=ContactChannel,
    ),
    operation(
        "DELETE",
        "/contact-channels/{user_id}/{contact_channel_id}",
        delete,
        "Remove a contact channel",
        params=ChannelPath,
        response=Success,
    ),
)
