"""Make users and their addresses as values, and write them, over an open transaction."""

from collections.abc import Callable
from typing import Any

from oneself.crypto.ids import is_uuid, new_uuid
from oneself.faults import Fault, FaultCode
from oneself.model import EmailAddress, Profile, User

Random = Callable[[int], bytes]

MAX_EXTERNAL_ID = 128


def new_user(random: Random, now: int, **fields: Any) -> User:
    """A fresh active user; `fields` are those of `User` that differ from an empty one."""
    values: dict[str, Any] = {
        "id": new_uuid(random),
        "version": 1,
        "security_epoch": 1,
        "status": "active",
        "created_at": now,
        "signed_up_at": now,
        "last_active_at": now,
        "is_anonymous": False,
        "display_name": "",
        "first_name": "",
        "middle_name": "",
        "last_name": "",
        "picture_url": "",
        "external_id": "",
        "client_metadata": None,
        "client_read_only_metadata": None,
        "server_metadata": None,
        "password_hash": "",
        "password_id": "",
        "extras": {},
    }
    return User(**(values | fields))


def check_external_id(external_id: str) -> None:
    """The project's own name of a user: letters, digits and `. _ - |`, and nothing that looks like an id of ours.

    A bare UUID is a fine one: most applications name their users so, and ours carry a kind and an environment. An empty
    text is none, and passes. Raises Fault(EXTERNAL_ID_INVALID).
    """
    if not external_id:
        return
    plain = external_id.isascii() and all(char.isalnum() or char in "._-|" for char in external_id)
    ours = is_uuid(external_id[-36:]) and external_id[:-36].endswith(("-test-", "-live-"))
    if not plain or ours or len(external_id) > MAX_EXTERNAL_ID:
        raise Fault(FaultCode.EXTERNAL_ID_INVALID, "not a name that a project may give")


def names_of(profile: Profile) -> dict[str, str]:
    """The name fields of a user as a provider gives them."""
    display = profile.display_name or f"{profile.first_name} {profile.last_name}".strip()
    first, last = profile.first_name, profile.last_name
    if display and not (first or last):
        first, _, last = display.partition(" ")
    return {"display_name": display, "first_name": first, "last_name": last.strip(), "picture_url": profile.picture_url}


def new_email(
    random: Random,
    now: int,
    user_id: str,
    address: str,
    folded: str,
    *,
    verified_by: str = "",
    is_primary: bool = True,
    claims_sign_in: bool = True,
) -> EmailAddress:
    """A fresh address; it is verified where `verified_by` names a proof (an account's id, `mail`, `backend`)."""
    return EmailAddress(
        id=new_uuid(random),
        user_id=user_id,
        address=address,
        folded=folded,
        verified_at=now if verified_by else 0,
        verified_by=verified_by,
        is_primary=is_primary,
        claims_sign_in=claims_sign_in,
        created_at=now,
    )
