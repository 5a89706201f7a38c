"""How addresses fold: one mailbox is one text, two mailboxes are never one, and no text costs more than a moment."""

import time

import pytest

from oneself.rules.addresses import fold_email


@pytest.mark.parametrize(
    ("address", "folded"),
    [
        ("Ada@Corp.Example", "ada@corp.example"),
        ("  ada@corp.example ", "ada@corp.example"),
        ("ada.l+news@corp.example", "ada.l+news@corp.example"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@corp。example", "ada@corp.example"),
        ("Jörg@corp.example", "jörg@corp.example"),
        ("Jo\u0308rg@corp.example", "jörg@corp.example"),
        ("straße@corp.example", "straße@corp.example"),
        ("\u0430da@corp.example", "\u0430da@corp.example"),
    ],
)
def test_one_mailbox_is_one_text(address: str, folded: str) -> None:
    assert fold_email(address) == folded


@pytest.mark.parametrize(
    "address",
    [
        "\uff41da@corp.example",  # full width: another mailbox, which would have become ada's
        "\u24d0da@corp.example",  # circled
        "\u017fam@corp.example",  # the long s
        "\u212aate@corp.example",  # the Kelvin sign
        "\ufb01na@corp.example",  # a ligature
        "ada\u200b@corp.example",  # a blank of no width
        "ada\u202e@corp.example",  # turns the direction of what follows
        "victim\uff20corp.example",  # an at sign that no mail server splits at
        "ada@corp.example.",  # the same domain, spelled as another
        "\ud800ada@corp.example",
        "ada@\ud800corp.example",
        "ada\0@corp.example",
        "ada@@corp.example",
        "@corp.example",
        "ada@",
        "",
    ],
)
def test_a_text_that_only_looks_like_an_address_is_none(address: str) -> None:
    assert fold_email(address) is None


@pytest.mark.parametrize(
    "address",
    ["\u0301\u0323" * 200_000 + "@corp.example", "a@" + "\u0301\u0323" * 200_000, "a" * 1_000_000 + "@corp.example"],
)
def test_a_huge_text_is_refused_at_once(address: str) -> None:
    began = time.monotonic()
    assert fold_email(address) is None
    assert time.monotonic() - began < 0.5
