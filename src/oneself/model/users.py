"""Users and what belongs to them: addresses, numbers, external accounts, teams."""

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from oneself.model.shape import Noun


class EmailAddress(Noun, frozen=True, kw_only=True):
    """One address of a user; `folded` is what uniqueness compares, `verified_at` 0 means never proved."""

    id: str
    user_id: str
    address: str
    folded: str
    verified_at: int
    verified_by: str
    is_primary: bool
    claims_sign_in: bool
    created_at: int


class PhoneNumber(Noun, frozen=True, kw_only=True):
    """One telephone number of a user, in E.164."""

    id: str
    user_id: str
    number: str
    verified_at: int


class User(Noun, frozen=True, kw_only=True):
    """One person in one project. `version` orders the changes of this user; `security_epoch` outdates old requests."""

    id: str
    version: int
    security_epoch: int
    status: Literal["active", "pending", "disabled"]
    created_at: int
    signed_up_at: int
    last_active_at: int
    is_anonymous: bool
    display_name: str
    first_name: str
    middle_name: str
    last_name: str
    picture_url: str
    external_id: str
    client_metadata: dict[str, Any] | None
    client_read_only_metadata: dict[str, Any] | None
    server_metadata: dict[str, Any] | None
    password_hash: str
    password_id: str
    extras: dict[str, Any]


class ExternalAccount(Noun, frozen=True, kw_only=True):
    """One account at one provider, linked to one user; `email_id` names the address of ours that it proved."""

    id: str
    user_id: str
    config_id: str
    provider: str
    issuer: str
    subject: str
    allow_sign_in: bool
    allow_connected_accounts: bool
    email: str
    email_verified: bool
    email_id: str
    picture_url: str
    locale: str
    created_at: int


class Team(Noun, frozen=True, kw_only=True):
    """A group of users of one project, as far as it describes itself; who is in it is asked separately."""

    id: str
    display_name: str
    picture_url: str = ""
    client_metadata: Any = None
    client_read_only_metadata: Any = None
    server_metadata: Any = None
    created_at: int = 0


class UserView(Noun, frozen=True, kw_only=True):
    """A user with all that belongs to them, as the dialects show it; lists are in order of creation."""

    user: User
    emails: tuple[EmailAddress, ...] = ()
    phones: tuple[PhoneNumber, ...] = ()
    accounts: tuple[ExternalAccount, ...] = ()
    # only where it was asked for
    selected_team: Team | UnsetType | None = UNSET

    @property
    def primary_email(self) -> EmailAddress | None:
        """The address marked as primary, if any."""
        return next((email for email in self.emails if email.is_primary), None)
