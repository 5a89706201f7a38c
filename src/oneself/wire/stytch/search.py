"""`POST /v1/users/search`: reads the operands of this dialect, each with its own refusal, and pages
by an opaque cursor.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

from oneself.actions import user_search
from oneself.model import Operand, OperandName, Project, Search
from oneself.wire.stytch import ids, times
from oneself.wire.stytch.answers import ResultsMetadata, SearchAnswer
from oneself.wire.stytch.bodies import QueryInput, SearchInput
from oneself.wire.stytch.call import Call
from oneself.wire.stytch.refusals import Refusal
from oneself.wire.stytch.render import user_body
from oneself.wire.stytch.wording import WORDINGS

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_VALUES = 100
MAX_OPERANDS = 20

Reader = Callable[[Project, Any], tuple[Operand, ...]]

NOBODY = (Operand(name="nothing"),)


class Everybody(Exception):
    """An operand that is true of every user."""


async def search(call: Call) -> SearchAnswer:
    """Every user that all (or any) operands match, newest first."""
    body: SearchInput = call.body
    limit = DEFAULT_LIMIT if body.limit is None else body.limit
    if not 0 <= limit <= MAX_LIMIT:
        raise Refusal("user_search_invalid_limit")
    query = body.query or QueryInput()
    operator = _operator(query.operator)
    wanted = Search(
        operator=operator,
        operands=_operands(call.project, operator, query.operands or []),
        limit=limit,
        after=_after(body.cursor) if body.cursor else None,
    )
    page = await user_search.search(call.rt, call.project, wanted)
    return SearchAnswer(
        results=[user_body(call.project, view) for view in page.users],
        results_metadata=ResultsMetadata(page.total, _cursor(page.after) if page.after is not None else None),
    )


def _operator(value: object) -> Literal["AND", "OR"]:
    if value in (None, "", "AND"):
        return "AND"
    if value == "OR":
        return "OR"
    raise Refusal("user_search_invalid_operator")


def _operands(project: Project, operator: Literal["AND", "OR"], given: list[dict[str, Any]]) -> tuple[Operand, ...]:
    """Read every operand, and leave out what is true of everybody: it adds nothing to an AND, and
    makes an OR true of all.
    """
    if len(given) > MAX_OPERANDS:
        raise Refusal("user_search_maximum_filter_value_count_exceeded")
    operands: list[Operand] = []
    everybody = False
    for each in given:
        try:
            operands += _operand(project, each)
        except Everybody:
            everybody = True
    return () if everybody and operator == "OR" else tuple(operands)


def _operand(project: Project, given: dict[str, Any]) -> tuple[Operand, ...]:
    if given.get("filter_name") is None:
        raise Refusal("user_search_missing_filter_name")
    name = given["filter_name"]
    if not isinstance(name, str):
        raise Refusal("user_search_filter_name_must_be_string")
    reader = READERS.get(name)
    if reader is None:
        raise Refusal("user_search_filter_name_not_recognized")
    if given.get("filter_value") is None:
        raise Refusal("user_search_missing_filter_value")
    return reader(project, given["filter_value"])


# --- values --------------------------------------------------------------------------------------


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Refusal("user_search_expected_string")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise Refusal("user_search_expected_array_of_string")
    if len(value) > MAX_VALUES:
        raise Refusal("user_search_maximum_filter_value_count_exceeded")
    return tuple(value)


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise Refusal("user_search_expected_bool")
    return value


def _time(value: object) -> int:
    moment = times.parse(value) if isinstance(value, str) else None
    if moment is None:
        raise Refusal("user_search_expected_timestamp")
    return moment


# --- readers, one per shape of filter ------------------------------------------------------------


def _one_text(name: OperandName) -> Reader:
    return lambda _project, value: (Operand(name=name, values=(_text(value),)),)


def _many_texts(name: OperandName) -> Reader:
    return lambda _project, value: (Operand(name=name, values=_texts(value)),)


def _moment(name: OperandName) -> Reader:
    return lambda _project, value: (Operand(name=name, number=_time(value)),)


def _flag(name: OperandName) -> Reader:
    return lambda _project, value: (Operand(name=name, flag=_bool(value)),)


def _own_ids(name: OperandName, kind: ids.Kind) -> Reader:
    """Ids that cannot be ours match nobody; they are no mistake."""

    def read(project: Project, value: object) -> tuple[Operand, ...]:
        head = f"{kind.prefix}-{project.environment}-"
        known = [text.removeprefix(head) for text in _texts(value) if text.startswith(head)]
        return (Operand(name=name, values=tuple(known)),)

    return read


def _absent_flag(_project: Project, value: object) -> tuple[Operand, ...]:
    """A filter on a factor that this server does not have: nobody has one."""
    if _bool(value):
        return NOBODY
    raise Everybody


def _absent_texts(_project: Project, value: object) -> tuple[Operand, ...]:
    _texts(value)
    return NOBODY


def _between(_project: Project, value: object) -> tuple[Operand, ...]:
    if not isinstance(value, dict):
        raise Refusal("user_search_expected_object")
    after, before = _time(value.get("greater_than")), _time(value.get("less_than"))
    return (Operand(name="created_between", number=after, until=before),)


def _status(_project: Project, value: object) -> tuple[Operand, ...]:
    if value not in ("active", "pending"):
        raise Refusal("user_search_invalid_status_filter")
    return (Operand(name="status", values=(str(value),)),)


def _user_ids(project: Project, value: object) -> tuple[Operand, ...]:
    texts = _texts(value)
    ours = [ids.looks_ours(text) for text in texts]
    if any(ours) and not all(ours):
        raise Refusal("user_search_cannot_mix_internal_and_external_user_ids")
    if texts and not any(ours):
        return (Operand(name="external_ids", values=texts),)
    return _own_ids("user_ids", ids.USER)(project, value)


_PROVIDERS = {
    spelling: provider
    for provider, wording in WORDINGS.items()
    for spelling in (wording.provider_type.lower(), wording.delivery_method)
}


def _providers(project: Project, value: object) -> tuple[Operand, ...]:
    configured = {each.config_id.lower(): each.provider for each in project.config.providers}
    known = []
    for text in _texts(value):
        provider = _PROVIDERS.get(text.lower()) or configured.get(text.lower())
        if provider is None:
            raise Refusal("user_search_invalid_oauth_provider_filter")
        known.append(provider)
    return (Operand(name="providers", values=tuple(known)),)


READERS: dict[str, Reader] = {
    "created_at_greater_than": _moment("created_after"),
    "created_at_less_than": _moment("created_before"),
    "created_at_between": _between,
    "status": _status,
    "user_id": _user_ids,
    "full_name_fuzzy": _one_text("name_prefix"),
    "phone_number": _many_texts("phones"),
    "phone_id": _own_ids("phone_ids", ids.PHONE),
    "phone_verified": _flag("phone_verified"),
    "phone_number_fuzzy": _one_text("phone_contains"),
    "email_address": _many_texts("emails"),
    "email_id": _own_ids("email_ids", ids.EMAIL),
    "email_verified": _flag("email_verified"),
    "email_address_fuzzy": _one_text("email_prefix"),
    "oauth_provider": _providers,
    "password_exists": _flag("password_exists"),
    "webauthn_registration_verified": _absent_flag,
    "crypto_wallet_verified": _absent_flag,
    "totp_verified": _absent_flag,
    "webauthn_registration_id": _absent_texts,
    "crypto_wallet_id": _absent_texts,
    "crypto_wallet_address": _absent_texts,
    "totp_id": _absent_texts,
}


# --- cursors -------------------------------------------------------------------------------------


_Position = tuple[
    Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)],
    Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f-]{36}\Z")],
]

_POSITION: msgspec.json.Decoder[tuple[int, str]] = msgspec.json.Decoder(_Position)


def _cursor(position: tuple[int, str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def _after(cursor: str) -> tuple[int, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        data = base64.b64decode(padded, altchars=b"-_", validate=True)
        return _POSITION.decode(data)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise Refusal("user_search_invalid_cursor") from None
