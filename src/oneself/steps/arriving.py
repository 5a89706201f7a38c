"""From what a file says of a user to what would be written: every value checked, nothing looked up."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from oneself.crypto.ids import is_uuid, new_uuid
from oneself.crypto.passwords import kind_of, objection
from oneself.faults import Fault, FaultCode, RowRefused
from oneself.model import (
    AccountRecord,
    EmailAddress,
    EmailRecord,
    ExternalAccount,
    PhoneNumber,
    PhoneRecord,
    ProviderCredentials,
    TokenSet,
    UserRecord,
)
from oneself.rules import accounts as account_rules
from oneself.rules import scopes
from oneself.rules.addresses import fold_email, is_phone_number
from oneself.rules.texts import holds_odd
from oneself.steps.importing import Arrival, Arriving
from oneself.steps.people import Random, check_external_id, new_user

# A provider's name to the project's credentials and the issuer of their accounts; raises Fault for an unknown one.
Resolve = Callable[[str], tuple[ProviderCredentials, str]]

NO_USABLE_HASH = "password hash of a kind that is not argon2, bcrypt or scrypt"
LONGEST_NAME = 1_024
LONGEST_TEXT = 1_048_576
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_CORRECT = "Correct the row and import the file again."


def arrival_of(record: UserRecord, resolve: Resolve, now: int, random: Random) -> tuple[Arrival, tuple[str, ...]]:
    """What to write for a row, and what of it has no place here. Raises RowRefused."""
    _check_texts(record)
    if record.id and not is_uuid(record.id):
        raise RowRefused("its id is not a UUID in lower case", "Give it as the external id instead.")
    if not (record.id or record.external_id):
        raise RowRefused("it has neither an id nor an external id", "Give it one, so that it can be found again.")
    try:
        check_external_id(record.external_id)
    except Fault:
        words = "Up to 128 letters, digits and . _ - | that do not look like an id of this server."
        raise RowRefused("its external id is none that can be kept", words) from None
    hashed = _hash(record.password_hash)
    lost = (*record.not_taken, NO_USABLE_HASH) if record.password_hash and not hashed else record.not_taken
    created_at = record.created_at or now
    kept = {name: getattr(record, name) for name in _SAME}
    user = new_user(
        random,
        now,
        **kept,
        **({"id": record.id} if record.id else {}),
        created_at=created_at,
        signed_up_at=record.signed_up_at or created_at,
        last_active_at=record.last_active_at or created_at,
        password_hash=hashed,
        password_id=new_uuid(random) if hashed else "",
    )
    arrival = Arrival(
        user=user,
        by_id=bool(record.id),
        emails=_emails(record, user.id, now, random),
        phones=_phones(record, user.id, now, random),
        accounts=_accounts(record.accounts, resolve, user.id, now, random),
        chosen_ids=_chosen_ids(record),
    )
    return arrival, lost


_SAME = (
    "status",
    "is_anonymous",
    "display_name",
    "first_name",
    "middle_name",
    "last_name",
    "picture_url",
    "external_id",
    "client_metadata",
    "client_read_only_metadata",
    "server_metadata",
    "extras",
)


def _check_texts(record: UserRecord) -> None:
    for name in ("display_name", "first_name", "middle_name", "last_name"):
        _check_text(name, getattr(record, name), LONGEST_NAME)
    _check_text("picture_url", record.picture_url, LONGEST_TEXT)
    for account in record.accounts:
        for name in ("provider", "subject", "email", "locale"):
            _check_text(f"the {name} of an account", getattr(account, name), LONGEST_NAME)
        _check_text("the picture of an account", account.picture_url, LONGEST_TEXT)


def _check_text(name: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise RowRefused(f"{name} is longer than {longest} characters", _CORRECT)
    if holds_odd(text):
        raise RowRefused(f"{name} holds characters that no text may hold", _CORRECT)


def _hash(encoded: str) -> str:
    """The hash that is kept; nothing of a kind that cannot be verified here, which is no fault of the row's."""
    if not kind_of(encoded):
        return ""
    said = objection(encoded)
    if said:
        words = "Take the hash out of the row; its owner sets a new password, or signs in through a provider."
        raise RowRefused(f"its password hash {said}", words)
    return encoded


def _emails(record: UserRecord, user_id: str, now: int, random: Random) -> tuple[EmailAddress, ...]:
    found: list[EmailAddress] = []
    for place, one in enumerate(record.emails):
        folded = fold_email(one.address)
        if folded is None:
            raise RowRefused("one of its addresses is no e-mail address that can be kept", _CORRECT)
        found.append(
            EmailAddress(
                id=one.id or new_uuid(random),
                user_id=user_id,
                address=one.address.strip(),
                folded=folded,
                verified_at=now if one.verified else 0,
                verified_by="import" if one.verified else "",
                is_primary=one.is_primary and not any(other.is_primary for other in found),
                claims_sign_in=one.claims_sign_in,
                created_at=now + place,  # the order of the file is the order that is shown
            )
        )
    _once("an address", [one.folded for one in found])
    return tuple(found)


def _phones(record: UserRecord, user_id: str, now: int, random: Random) -> tuple[PhoneNumber, ...]:
    for one in record.phones:
        if not is_phone_number(one.number):
            raise RowRefused("one of its telephone numbers is not in E.164", "Write it as + and 7 to 15 digits.")
    _once("a telephone number", [one.number for one in record.phones])
    return tuple(
        PhoneNumber(
            id=one.id or new_uuid(random), user_id=user_id, number=one.number, verified_at=now if one.verified else 0
        )
        for one in record.phones
    )


def _accounts(
    records: Sequence[AccountRecord], resolve: Resolve, user_id: str, now: int, random: Random
) -> tuple[Arriving, ...]:
    found = [_account(one, resolve, user_id, now + place, random) for place, one in enumerate(records)]
    _once("an account", [(one.account.config_id, one.account.subject) for one in found])
    return tuple(found)


def _account(one: AccountRecord, resolve: Resolve, user_id: str, created_at: int, random: Random) -> Arriving:
    if not one.subject:
        raise RowRefused("one of its accounts has no account id", _CORRECT)
    try:
        account_rules.check_subject(one.subject)
        credentials, issuer = resolve(one.provider)
    except Fault as fault:
        raise _unusable(one.provider, fault) from None
    account = ExternalAccount(
        id=one.id or new_uuid(random),
        user_id=user_id,
        config_id=credentials.config_id,
        provider=credentials.provider,
        issuer=issuer,
        subject=one.subject,
        allow_sign_in=one.allow_sign_in is not False,
        allow_connected_accounts=one.allow_connected_accounts,
        email=one.email,
        email_verified=False,
        email_id="",
        picture_url=one.picture_url,
        locale=one.locale,
        created_at=created_at,
    )
    return Arriving(account=account, tokens=_tokens(one.tokens), sign_in_if_free=one.allow_sign_in is None)


def _unusable(provider: str, fault: Fault) -> RowRefused:
    if fault.code is FaultCode.REQUEST_INVALID:
        return RowRefused("one of its account ids is longer than any provider's", _CORRECT)
    name = provider if _PLAIN.fullmatch(provider) else "(not a name)"
    return RowRefused(
        f"the project has no credentials for the provider {name}",
        f"Configure it for the project, or leave its accounts out with --leave-out {name}.",
    )


def _tokens(sets: Sequence[TokenSet]) -> tuple[TokenSet, ...]:
    """Token sets by what names them in the vault; of several with the same scopes the last one counts."""
    for one in sets:
        if not (one.access_token or one.refresh_token):
            raise RowRefused("a token set of it has neither an access token nor a refresh token", _CORRECT)
        for text in (one.access_token, one.refresh_token, one.id_token, one.callback_uri, *one.scopes):
            _check_text("a token set", text, LONGEST_TEXT)
    return tuple({scopes.canonical(one.scopes): one for one in sets}.values())


def _chosen_ids(record: UserRecord) -> frozenset[str]:
    parts = (record.emails, record.phones, record.accounts)
    ids = [
        one.id for part in parts for one in cast(Sequence[EmailRecord | PhoneRecord | AccountRecord], part) if one.id
    ]
    if not all(is_uuid(one) for one in ids):
        raise RowRefused("one of the ids in the row is not a UUID in lower case", _CORRECT)
    _once("an id", ids)
    return frozenset(ids)


def _once(what: str, values: Iterable[object]) -> None:
    listed = list(values)
    if len(set(listed)) != len(listed):
        raise RowRefused(f"it has {what} twice", _CORRECT)
