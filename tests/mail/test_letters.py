"""What letters say and how they stand in a mail: every kind, hostile names, addresses of other scripts, long links."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import get_args

import pytest

from oneself.faults import Fault, FaultCode
from oneself.mail.letters import WORDINGS, write
from oneself.mail.message import compose
from oneself.mail.smtp import Line
from oneself.model import Letter, LetterKind
from tests.mail.catcher import Catcher
from tests.mail.conftest import SENDER, server_of

AT = 1_700_000_000_000_000
LINK = "https://app.example/handler?a=1&code=" + "0" * 45


def letter(kind: LetterKind = "sign_in", to: str = "ada@corp.example", project_name: str = "Shop") -> Letter:
    return Letter(kind=kind, to=to, project_name=project_name, link=LINK, code="ABC123", what="GitHub")


@pytest.mark.parametrize("kind", get_args(LetterKind))
def test_every_letter_names_the_project_and_says_what_to_do_when_it_was_not_you(kind: LetterKind) -> None:
    assert set(WORDINGS) == set(get_args(LetterKind))
    written = write(letter(kind), AT)
    assert "Shop" in written.subject
    for part in (written.text, written.html):
        assert "If it was not you" in part
        assert "{" not in part.replace("{{", "")
    assert len(written.text) < 800


@pytest.mark.parametrize(
    "kind", ["address_added", "address_removed", "second_factor_on", "second_factor_off", "second_factor_changed"]
)
def test_what_is_told_of_says_when(kind: LetterKind) -> None:
    told = write(letter(kind), AT)
    for part in (told.text, told.html):
        assert "2023-11-14 22:13 UTC" in part


def test_both_parts_hold_the_link_and_a_name_is_never_markup_or_a_header() -> None:
    mail = compose(letter(project_name='Shop\r\nBcc: x@evil.example\r\n\r\n<img src="x">'), "an-id", SENDER, AT)
    again = message_from_bytes(mail.as_bytes(), policy=policy.default)
    assert again["Bcc"] is None
    assert again["Subject"] == 'Sign in to Shop Bcc: x@evil.example <img src="x">'
    plain, html = again.get_body(("plain",)), again.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert LINK in plain.get_content()
    assert LINK.replace("&", "&amp;") in html.get_content()
    assert "<img" not in html.get_content()
    assert again["Message-ID"] == "<an-id@oneself.example>"
    assert again["Date"].datetime.timestamp() == AT / 1_000_000


def test_without_a_name_the_sender_is_called_as_the_project() -> None:
    assert compose(letter(), "an-id", "id@oneself.example", AT)["From"] == "Shop <id@oneself.example>"


@pytest.mark.parametrize(
    "address", ["", "no at sign", "a@b@c", "two@x.example, three@y.example", "a\r\nTo: b@x.example", "å, b@x.example"]
)
def test_what_is_no_single_address_is_refused(address: str) -> None:
    with pytest.raises(Fault) as refused:
        compose(letter(to=address), "an-id", SENDER, AT)
    assert refused.value.code is FaultCode.MAIL_REFUSED


@pytest.mark.parametrize("address", ["søren@corp.example", "x@xn--nxasmq6b.example"])
async def test_addresses_of_other_scripts_and_long_links_arrive_whole(catcher: Catcher, address: str) -> None:
    long = Letter(kind="verify", to=address, project_name="Kiosk å", link=LINK + "&" + "long=" + "x" * 3000)
    line = Line(server_of(catcher))
    await line.send(long, "an-id", AT)
    await line.send(long, "another-id", AT)
    await line.close()
    caught = catcher.wait(2)
    assert [one.recipients for one in caught] == [(address,)] * 2
    assert caught[0].link == long.link
    assert caught[0].subject == "Verify your email at Kiosk å"
    assert max(len(line) for line in caught[0].raw.split(b"\r\n")) <= 998
