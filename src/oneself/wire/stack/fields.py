"""The kinds of field that requests of this wire are made of, and the base of their shapes.

A shape is a struct: the validator (`validation.py`) and the OpenAPI description both come from it. What a schema
cannot say by itself hangs on the annotation as the names of further checks.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

MAX_IMAGE_CHARACTERS = 1_000_000


class Form(msgspec.Struct, forbid_unknown_fields=True):
    """Base of all request shapes: unknown keys are a mistake of the caller."""

    def complaint(self) -> str:
        """What is wrong with fields that are right one by one; nothing where nothing is."""
        return ""


class LooseForm(msgspec.Struct):
    """Base of the few request shapes that let unknown keys pass."""


class Empty(Form):
    """No keys at all."""


def _text(*checks: str, schema: dict[str, Any] | None = None, **limits: Any) -> Any:
    return Meta(extra={"checks": checks}, extra_json_schema=schema or {}, **limits)


Uuid = Annotated[str, _text("uuid", schema={"format": "uuid"})]
UserId = Annotated[
    str,
    _text("me", "uuid", schema={"description": "A user's id, or `me` for the user of the token."}),
]
Url = Annotated[str, _text("no_spaces", "url", schema={"format": "uri"})]
HttpUrl = Annotated[str, _text("no_spaces", "url", "http_url", schema={"format": "uri"})]
ImageUrl = Annotated[str, _text("no_spaces", "url", schema={"format": "uri"}, max_length=MAX_IMAGE_CHARACTERS)]
Email = Annotated[str, _text("email", schema={"format": "email"})]
FilledEmail = Annotated[str, _text("email", "non_empty", schema={"format": "email"})]
# An address to sign in with: its domain has a dot, and it is one that mail reaches.
SignInEmail = Annotated[str, _text("email", "sign_in_email", schema={"format": "email"}, max_length=256)]
Filled = Annotated[str, _text("non_empty", schema={"minLength": 1})]
Base64 = Annotated[str, _text("base64", schema={"contentEncoding": "base64"})]
# A one-time code out of a mail, in either case.
MailedCode = Annotated[str, Meta(min_length=45, max_length=45)]
Password = Annotated[str, Meta(max_length=70)]
DisplayName = Annotated[str, Meta(max_length=256)]
# Any JSON at all, kept as it came.
Json = Any


class CodeBody(Form):
    """A code out of a mail."""

    code: MailedCode
