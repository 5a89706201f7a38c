"""Users of this dialect: create, read, change, delete, and take single things off them."""

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from oneself.actions import accounts, exchange, users
from oneself.actions.users import NewUser, UserChanges
from oneself.faults import Fault, FaultCode
from oneself.model import UserView
from oneself.wire.stytch import ids
from oneself.wire.stytch.answers import (
    Answer,
    ChangedUserAnswer,
    ConnectedAppsAnswer,
    CreatedUserAnswer,
    UserAnswer,
    UserIdAnswer,
    UserInsideAnswer,
)
from oneself.wire.stytch.arguments import user_id
from oneself.wire.stytch.bodies import ChangeUserInput, CreateUserInput, ExchangeInput
from oneself.wire.stytch.call import Call
from oneself.wire.stytch.metadata import merge_metadata
from oneself.wire.stytch.refusals import Refusal
from oneself.wire.stytch.render import (
    DEFAULT_ROLES,
    email_body,
    phone_body,
    user_body,
    user_members,
)
from oneself.wire.stytch.sessions import KIND

T = TypeVar("T")


async def create(call: Call) -> CreatedUserAnswer:
    """`POST /v1/users`."""
    body: CreateUserInput = call.body
    if not body.email and not body.phone_number:
        raise Refusal("invalid_create_user_request")
    check_roles(body.roles)
    name = body.name
    view = await users.create(
        call.rt,
        call.project,
        NewUser(
            email=body.email or "",
            phone=body.phone_number or "",
            first_name=(name.first_name or "") if name else "",
            middle_name=(name.middle_name or "") if name else "",
            last_name=(name.last_name or "") if name else "",
            server_metadata=merge_metadata(None, body.trusted_metadata),
            client_metadata=merge_metadata(None, body.untrusted_metadata),
            external_id=external_name(body.external_id) or "",
            pending=bool(body.create_user_as_pending),
        ),
    )
    rendered = user_body(call.project, view)
    return CreatedUserAnswer(
        user_id=rendered.user_id,
        email_id=rendered.emails[0].email_id if rendered.emails else "",
        phone_id=rendered.phone_numbers[0].phone_id if rendered.phone_numbers else "",
        status=rendered.status,
        user=rendered,
    )


async def get(call: Call) -> UserAnswer:
    """`GET /v1/users/{user_id}`."""
    chosen = await user_id(call, call.request.params["user_id"])
    view = await users.read(call.rt, call.project, chosen)
    return UserAnswer(**user_members(call.project, view))


async def change(call: Call) -> ChangedUserAnswer:
    """`PUT /v1/users/{user_id}`: what is not named stays; metadata merges at its top level."""
    body: ChangeUserInput = call.body
    check_roles(body.roles)
    chosen = await user_id(call, call.request.params["user_id"])
    view = await users.change(call.rt, call.project, chosen, changes(body))
    return changed_answer(call, view)


def changes(body: ChangeUserInput) -> Callable[[UserView], UserChanges]:
    """Return the changes that a body asks for, as a function of the user as it is by then.

    Its calls raise Fault(metadata_too_large), Fault(metadata_too_many_keys).
    """
    name, external_id = body.name, external_name(body.external_id)

    def of(view: UserView) -> UserChanges:
        return UserChanges(
            first_name=_given(name.first_name) if name else UNSET,
            middle_name=_given(name.middle_name) if name else UNSET,
            last_name=_given(name.last_name) if name else UNSET,
            server_metadata=_merged(view.user.server_metadata, body.trusted_metadata),
            client_metadata=_merged(view.user.client_metadata, body.untrusted_metadata),
            external_id=_given(external_id),
        )

    return of


def changed_answer(call: Call, view: UserView) -> ChangedUserAnswer:
    """Render a user who has been changed."""
    project = call.project
    return ChangedUserAnswer(
        user_id=ids.make("user", project, view.user.id),
        emails=[email_body(project, email) for email in view.emails],
        phone_numbers=[phone_body(project, phone) for phone in view.phones],
        crypto_wallets=[],
        user=user_body(project, view),
    )


async def delete(call: Call) -> UserIdAnswer:
    """`DELETE /v1/users/{user_id}`, with all that belongs to them."""
    chosen = await user_id(call, call.request.params["user_id"])
    await users.delete(call.rt, call.project, chosen)
    return UserIdAnswer(user_id=ids.make("user", call.project, chosen))


async def delete_registration(call: Call) -> UserInsideAnswer:
    """`DELETE /v1/users/oauth/{oauth_user_registration_id}`."""
    named = call.request.params["oauth_user_registration_id"]
    account_id = ids.read(ids.REGISTRATION, call.project, named)
    view = await accounts.remove(call.rt, call.project, account_id, dialect=KIND)
    return inside(call, view)


async def delete_email(call: Call) -> UserInsideAnswer:
    """`DELETE /v1/users/emails/{email_id}`."""
    email_id = ids.read(ids.EMAIL, call.project, call.request.params["email_id"])
    return inside(call, await users.remove_email(call.rt, call.project, email_id))


async def delete_phone(call: Call) -> UserInsideAnswer:
    """`DELETE /v1/users/phone_numbers/{phone_id}`."""
    phone_id = ids.read(ids.PHONE, call.project, call.request.params["phone_id"])
    return inside(call, await users.remove_phone(call.rt, call.project, phone_id))


async def delete_external_id(call: Call) -> UserInsideAnswer:
    """`DELETE /v1/users/{user_id}/external_id`."""
    chosen = await user_id(call, call.request.params["user_id"])
    view = await users.change(call.rt, call.project, chosen, UserChanges(external_id=""))
    return inside(call, view)


async def connected_apps(call: Call) -> ConnectedAppsAnswer:
    """`GET /v1/users/{user_id}/connected_apps`: none, of a user who must exist."""
    chosen = await user_id(call, call.request.params["user_id"])
    await users.read(call.rt, call.project, chosen)
    return ConnectedAppsAnswer()


async def revoke_connected_app(call: Call) -> Answer:
    """`POST /v1/users/{user_id}/connected_apps/{connected_app_id}/revoke`: there is none."""
    chosen = await user_id(call, call.request.params["user_id"])
    await users.read(call.rt, call.project, chosen)
    raise Refusal("connected_app_not_found")


async def exchange_primary_factor(call: Call) -> UserInsideAnswer:
    """`PUT /v1/users/{user_id}/exchange_primary_factor`."""
    body: ExchangeInput = call.body
    if bool(body.email_address) == bool(body.phone_number):
        raise Refusal("invalid_exchange_primary_factor_fields")
    chosen = await user_id(call, call.request.params["user_id"])
    view = await exchange.exchange(
        call.rt, call.project, chosen, body.email_address or "", body.phone_number or "", dialect=KIND
    )
    return inside(call, view)


def inside(call: Call, view: UserView) -> UserInsideAnswer:
    """Render a user from whom something has been taken."""
    return UserInsideAnswer(user_id=ids.make("user", call.project, view.user.id), user=user_body(call.project, view))


def check_roles(roles: list[str] | None) -> None:
    """Refusal(invalid_rbac_role_assignment) for any role but the one that everybody has."""
    if roles and not set(roles) <= set(DEFAULT_ROLES):
        raise Refusal("invalid_rbac_role_assignment")


def external_name(text: str | None) -> str | None:
    """Return an external id that a body gives, if it may be one. Fault(external_id_invalid)."""
    if text is not None and not ids.is_external(text):
        raise Fault(FaultCode.EXTERNAL_ID_INVALID, "its alphabet, its length, or one of ours")
    return text


def _given(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value


def _merged(old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any] | UnsetType | None:
    """Metadata after a change, UNSET for none: merged at the top level, where a null deletes."""
    return UNSET if new is None else merge_metadata(old, new)
