"""The words of every letter: plain, short, and each says what to do when it was not you."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import jinja2

from oneself.model import Letter, LetterKind

_MICROS = 1_000_000

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("oneself.mail"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one kind of letter, with the letter's own fields in braces, and `when` it was written.

    `button` is what its link is called, `typed` what stands before its code.
    """

    subject: str
    opening: str
    closing: str
    button: str = ""
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A letter in words: its subject and both its parts."""

    subject: str
    text: str
    html: str


WORDINGS: Mapping[LetterKind, Wording] = {
    "sign_in": Wording(
        subject="Sign in to {project_name}",
        opening="Somebody, hopefully you, asked to sign in to {project_name} with this address.",
        button="Sign in",
        typed="Or type this code where you were asked for it:",
        closing="If it was not you, do nothing: without this mail nobody gets in. The link works once, for seven days; "
        "pass neither it nor the code on to anybody.",
    ),
    "verify": Wording(
        subject="Verify your email at {project_name}",
        opening="Somebody, hopefully you, gave this address at {project_name}.",
        button="Verify this address",
        closing="If it was not you, do nothing: the address then stays unproved. The link works once, for seven days.",
    ),
    "reset": Wording(
        subject="Reset your password at {project_name}",
        opening="Somebody, hopefully you, asked for a new password for your account at {project_name}.",
        button="Choose a new password",
        closing="If it was not you, do nothing: your password stays as it is. The link works once, for seven days; "
        "pass it on to nobody.",
    ),
    "account_linked": Wording(
        subject="A new way to sign in to {project_name}",
        opening="Your account at {project_name} was linked with an account at {what}, which may sign in from now on.",
        closing="If it was not you, sign in to {project_name}, remove that account, end all other sessions and change "
        "your password. If you cannot get in, write to {project_name}.",
    ),
    "address_added": Wording(
        subject="A new address to sign in to {project_name}",
        opening="The address {what} may sign in to your account at {project_name} from now on ({when}).",
        closing="If it was not you, sign in to {project_name}, remove that address, end all other sessions and change "
        "your password. If you cannot get in, write to {project_name}.",
    ),
    "address_removed": Wording(
        subject="An address is gone from your account at {project_name}",
        opening="The address {what} counts as yours at {project_name} no more ({when}): from now on nothing about your "
        "account is written to it.",
        closing="If it was not you, sign in to {project_name}, end all other sessions, change your password and give "
        "the address again. If you cannot get in, write to {project_name} at once.",
    ),
    "reconnect": Wording(
        subject="{project_name} needs to be connected with {what} again",
        opening="{project_name} could not renew its access to your account at {what}: an answer was lost on the way, "
        "and {what} takes the same question only once.",
        closing="To go on using {what} there, sign in to {project_name} and connect it again. Nothing else has "
        "changed. If it was not you who connected it, do nothing: the access has ended.",
    ),
    "password_changed": Wording(
        subject="Your password at {project_name} was changed",
        opening="Your account at {project_name} has a new password.",
        closing="If it was not you, ask {project_name} for a new password at once, then end all other sessions. If you "
        "cannot get in, write to {project_name}.",
    ),
    "second_factor_on": Wording(
        subject="Second factor switched on at {project_name}",
        opening="Your account at {project_name} asks for the passwords of an authenticator app from now on ({when}).",
        closing="If it was not you and you are still signed in to {project_name}, switch it off, change your password "
        "and end all other sessions. If you cannot get in, write to {project_name} at once.",
    ),
    "second_factor_off": Wording(
        subject="Second factor switched off at {project_name}",
        opening="Your account at {project_name} asks for no password of an authenticator app any more, from now on "
        "({when}).",
        closing="If it was not you, sign in to {project_name}, change your password, end all other sessions and set "
        "the second factor up again. If you cannot get in, write to {project_name}.",
    ),
    "second_factor_changed": Wording(
        subject="Second factor replaced at {project_name}",
        opening="Your account at {project_name} asks for the passwords of another authenticator app, or of one that "
        "was set up anew, from now on ({when}). Those of the one before count no more.",
        closing="If it was not you and you are still signed in to {project_name}, change your password, end all other "
        "sessions and set the second factor up again. If you cannot get in, write to {project_name} at once.",
    ),
}


def write(letter: Letter, at: int) -> Written:
    """The letter in words, as plain text and as HTML; what it is given is text in both, never markup.

    `at` is when it was written, with the change that it tells of (microseconds).
    """
    wording = WORDINGS[letter.kind]
    facts = {
        "project_name": _line(letter.project_name),
        "what": _line(letter.what),
        "when": f"{moment(at):%Y-%m-%d %H:%M} UTC",
    }
    subject = wording.subject.format(**facts)
    opening, closing = wording.opening.format(**facts), wording.closing.format(**facts)
    text = [opening]
    if letter.link:
        text.append(f"{wording.button}:\n{letter.link}")
    if letter.code:
        text.append(f"{wording.typed}\n{letter.code}")
    text.append(closing)
    html = _ENVIRONMENT.get_template("letter.html").render(
        subject=subject,
        opening=opening,
        closing=closing,
        link=letter.link,
        button=wording.button,
        code=letter.code,
        typed=wording.typed,
    )
    return Written(subject, "\n\n".join(text) + "\n", html)


def moment(at: int) -> datetime:
    """The moment `at` (microseconds) in UTC, since nobody told us where the reader is."""
    return datetime.fromtimestamp(at // _MICROS, UTC)


def _line(text: str) -> str:
    """A name as one line: what breaks lines in a header or pretends to be more than a name becomes a blank."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
