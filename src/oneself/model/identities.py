"""What a provider says of an outside account, and the tokens that come with it."""

from enum import StrEnum

from oneself.model.shape import Noun


class EmailVerdict(StrEnum):
    """What a provider says of the address that it sent; only VERIFIED may ever link by itself."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    SILENT = "silent"
    ABSENT = "absent"


class Profile(Noun, frozen=True, kw_only=True):
    """What we conclude about an outside account from the evidence; `legacy_subject` finds rows keyed by an old id."""

    subject: str
    issuer: str
    email: str = ""
    email_verdict: EmailVerdict = EmailVerdict.ABSENT
    display_name: str = ""
    first_name: str = ""
    last_name: str = ""
    picture_url: str = ""
    locale: str = ""
    legacy_subject: str = ""

    @property
    def email_verified(self) -> bool:
        """True only where the provider vouches for the address."""
        return self.email_verdict is EmailVerdict.VERIFIED and bool(self.email)


class TokenSet(Noun, frozen=True, kw_only=True):
    """What one grant of a provider gave us, in clear: only ever in memory, on its way to or from a seal.

    `expires_at` is 0 where the provider did not say. `scopes` are those granted, else those asked for. `callback_uri`
    is ours, which some providers want to see again when the grant is refreshed.
    """

    access_token: str
    refresh_token: str = ""
    id_token: str = ""
    scopes: tuple[str, ...] = ()
    expires_at: int = 0
    token_type: str = "Bearer"
    callback_uri: str = ""

    def __repr__(self) -> str:
        return f"TokenSet(scopes={self.scopes!r}, expires_at={self.expires_at})"


class Identity(Noun, frozen=True, kw_only=True):
    """A proven outside account: the profile and the tokens that came with it."""

    profile: Profile
    tokens: TokenSet
