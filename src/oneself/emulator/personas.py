"""The people who can sign in at the emulated providers, and what may be changed about them.

A persona has the same subject at a provider for ever, made from its id, so that an e-mail address
can move from one person to another (a recycled address) and both are still told apart.
"""

import hashlib
from typing import Any

import msgspec


class Persona(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person. `emails` and `verified` say what differs at single providers, by provider id.

    `work_domain` is the organisation that owns the address (Google's `hd`, Entra's domain proof).
    `answers` overlays what a provider would answer, for tests of odd types: provider id -> document
    (`id_token`, `userinfo`, `token`, ...) -> dotted path -> JSON value; the value
    `{"$omit": true}` removes the field.
    """

    id: str
    name: str = ""
    given_name: str = ""
    family_name: str = ""
    username: str = ""
    email: str = ""
    email_verified: bool = True
    work_domain: str = ""
    public_email: str = ""
    other_emails: tuple[str, ...] = ()
    emails: dict[str, str] = {}
    verified: dict[str, bool] = {}
    picture: str = ""
    locale: str = "en-GB"
    note: str = ""
    answers: dict[str, dict[str, dict[str, Any]]] = {}

    def at(self, provider: str) -> "Persona":
        """Give this person as one provider knows them: with that provider's address and flag."""
        return msgspec.structs.replace(
            self,
            email=self.emails.get(provider, self.email),
            email_verified=self.verified.get(provider, self.email_verified),
        )

    @property
    def handle(self) -> str:
        """The user name that providers show; the id where none is set."""
        return self.username or self.id


def digits(provider: str, persona: Persona, count: int) -> str:
    """Give `count` decimal digits that belong to this person at this provider, never led by 0."""
    number = int.from_bytes(_digest(provider, persona), "big")
    return str(10 ** (count - 1) + number % (9 * 10 ** (count - 1)))


def hexes(provider: str, persona: Persona, count: int) -> str:
    """Give `count` (up to 64) lower-case hex digits that belong to this person at this provider."""
    return _digest(provider, persona).hex()[:count]


def uuid_shaped(provider: str, persona: Persona) -> str:
    """Give a text in the form of a UUID that belongs to this person at this provider."""
    text = hexes(provider, persona, 32)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _digest(provider: str, persona: Persona) -> bytes:
    return hashlib.sha256(f"oneself emulator/{provider}/{persona.id}".encode()).digest()


PERSONAS: tuple[Persona, ...] = (
    Persona(
        id="ada",
        name="Ada Byron",
        given_name="Ada",
        family_name="Byron",
        email="ada@corp.example",
        work_domain="corp.example",
        other_emails=("old@corp.example",),
        picture="https://pictures.example/ada.png",
        note="One verified work address at every provider.",
    ),
    Persona(
        id="grace",
        name="Grace Hopper",
        given_name="Grace",
        family_name="Hopper",
        email="grace@navy.example",
        emails={"apple": "q1w2e3r4t5@privaterelay.appleid.com"},
        public_email="hello@grace.example",
        picture="https://pictures.example/grace.png",
        locale="en-US",
        note="A verified private address; her public one is another; Apple hides it behind a relay.",
    ),
    Persona(
        id="linus",
        name="Linus Korppi",
        given_name="Linus",
        family_name="Korppi",
        email="linus@kernel.example",
        email_verified=False,
        locale="fi-FI",
        note="Never clicked the link: the address is unverified wherever a provider can say so.",
    ),
    Persona(
        id="nemo",
        name="Nemo Nobody",
        given_name="Nemo",
        family_name="Nobody",
        note="No e-mail address at all.",
    ),
    Persona(
        id="theo",
        name="Theo Zwei",
        given_name="Theo",
        family_name="Zwei",
        email="theo@home.example",
        emails={"github": "theo@work.example", "microsoft": "theo@work.example"},
        note="One person with another address at GitHub and Microsoft than elsewhere.",
    ),
    Persona(
        id="mallory",
        name="Mallory Mask",
        given_name="Mallory",
        family_name="Mask",
        email="ada@corp.example",
        email_verified=False,
        note="Types Ada's address into every provider and never proves it.",
    ),
    Persona(
        id="rosa",
        name="Rosa Alt",
        given_name="Rosa",
        family_name="Alt",
        email="rosa@recycled.example",
        note="Had rosa@recycled.example before the address was given to somebody else.",
    ),
    Persona(
        id="rosa-new",
        name="Rosa Neu",
        given_name="Rosa",
        family_name="Neu",
        email="rosa@recycled.example",
        note="Owns rosa@recycled.example now, verified: same address, another person.",
    ),
    Persona(
        id="homograph",
        name="Аdа Byron",
        given_name="Аdа",
        family_name="Byron",
        username="ada-h",
        email="аdа@corp.example",
        note="A verified address that looks like Ada's, with two Cyrillic letters.",
    ),
    Persona(
        id="casey",
        name="Casey Case",
        given_name="Casey",
        family_name="Case",
        email="Casey.Case@Corp.Example",
        note="A verified address in mixed case.",
    ),
    Persona(
        id="bobby",
        name="<script>alert('bobby')</script>",
        given_name="<b>Bobby</b>",
        family_name='"Tables"; --',
        email="bobby@tables.example",
        picture="javascript:alert(1)",
        note="Markup in every text and a picture address that no page may use.",
    ),
)
