"""The pages that people see: pick a persona, a refusal, and the form that carries a form_post."""

import base64
import hashlib
from collections.abc import Iterable, Mapping

import jinja2

from oneself.emulator.answers import Answer
from oneself.emulator.clients import Client
from oneself.emulator.personas import Persona
from oneself.emulator.player import Player

_SUBMIT = "document.forms[0].submit()"
_SUBMIT_HASH = base64.b64encode(hashlib.sha256(_SUBMIT.encode()).digest()).decode()

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("oneself.emulator"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


def page(template: str, status: int = 200, **values: object) -> Answer:
    """Render one of the templates; every value is escaped there."""
    html = _TEMPLATES.get_template(template).render(values)
    return Answer(status=status, kind="html", body=html)


def choose(
    player: Player,
    client: Client,
    scopes: Iterable[str],
    people: Iterable[Persona],
    query: str,
) -> Answer:
    """Show the personas as buttons, the scopes as boxes, and Deny. `query` is the request itself."""
    return page(
        "choose.html",
        player=player,
        client=client,
        scopes=list(scopes),
        people=list(people),
        action="?" + query,
    )


def refusal(player: Player, error: str, words: str, status: int = 400) -> Answer:
    """Show why a request is not answered by redirect: its client or redirect URI is not known."""
    return page("refusal.html", status, player=player, error=error, words=words)


def form_post(player: Player, action: str, fields: Mapping[str, str]) -> Answer:
    """Carry an answer to the client by POST; it submits itself, or by a button without scripts."""
    shown = page("form_post.html", player=player, action=action, fields=fields, submit=_SUBMIT)
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_SUBMIT_HASH}'; base-uri 'none'"
    headers = (("Content-Security-Policy", policy),)
    return Answer(kind="html", body=shown.body, headers=headers)
