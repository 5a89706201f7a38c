"""What a search over users may ask for: operands by name with typed values."""

from typing import Literal

from oneself.model.shape import Noun

OperandName = Literal[
    "created_after",
    "created_before",
    "created_between",
    "status",
    "user_ids",
    "external_ids",
    "name_prefix",
    "phones",
    "phone_ids",
    "phone_verified",
    "phone_contains",
    "emails",
    "email_ids",
    "email_verified",
    "email_prefix",
    "providers",
    "password_exists",
    "nothing",
]


class Operand(Noun, frozen=True, kw_only=True):
    """One condition. The search folds texts where their column is folded; times are microseconds.

    `number` and `until` are the two ends of `created_between`, both left out.
    """

    name: OperandName
    values: tuple[str, ...] = ()
    number: int = 0
    until: int = 0
    flag: bool = False


class Search(Noun, frozen=True, kw_only=True):
    """Operands joined by AND or OR; newest users first, after the cursor (created_at, id) where one is given."""

    operator: Literal["AND", "OR"] = "AND"
    operands: tuple[Operand, ...] = ()
    limit: int = 100
    after: tuple[int, str] | None = None


class Listing(Noun, frozen=True, kw_only=True):
    """A plain listing of users by sign-up time, after the cursor (signed_up_at, id) where one is given.

    `text` is searched in names and addresses, and compared with the id; it is folded already. `team_id` asks for the
    members of one team.
    """

    limit: int | None = None
    after: tuple[int, str] | None = None
    descending: bool = False
    text: str = ""
    team_id: str = ""
    include_restricted: bool = False
    include_anonymous: bool = False
    only_anonymous: bool = False
    # whether a user without a verified primary address counts as restricted
    unverified_is_restricted: bool = False
