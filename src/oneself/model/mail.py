"""What is written to people by mail, before it is a mail; and the one-time codes that such letters carry."""

from typing import Literal

from oneself.model.shape import Noun

# What a letter is about; the words of each are in `mail/letters.py`.
LetterKind = Literal[
    "sign_in",
    "verify",
    "reset",
    "account_linked",
    "address_added",
    "address_removed",
    "password_changed",
    "second_factor_on",
    "second_factor_off",
    "second_factor_changed",
    "reconnect",
]

CodeKind = Literal["sign_in", "verify", "reset", "second_factor"]


class Letter(Noun, frozen=True, kw_only=True):
    """One letter to one address: `link` is where its button leads, `code` what may be typed instead of following it,
    `what` the name of the thing that it tells of.
    """

    kind: LetterKind
    to: str
    project_name: str
    link: str = ""
    code: str = ""
    what: str = ""

    def __repr__(self) -> str:
        return f"Letter(kind={self.kind!r})"


class OneTimeCode(Noun, frozen=True, kw_only=True):
    """One code as it is kept: whom and what it is for, without the code.

    `security_epoch` is the user's when it was made; `sealed` holds what its redeemer goes on with; of a
    sign-in code, which is kept by its nonce, the hash of the whole.
    """

    kind: CodeKind
    user_id: str = ""
    email_id: str = ""
    address: str = ""
    folded: str = ""
    security_epoch: int = 0
    sealed: bytes = b""
    attempts: int = 0
