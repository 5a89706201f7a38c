"""What is sent as a form or as a query is what the standard library would send, whatever the text."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode

from hypothesis import given
from hypothesis import strategies as st

from oneself.upstream import forms

FIELDS = st.dictionaries(st.text(), st.text() | st.text(alphabet="\ud800é a~", min_size=1))


@given(FIELDS)
def test_a_form_is_the_standard_librarys(fields: dict[str, str]) -> None:
    assert forms.form(fields) == urlencode(fields, errors="replace").encode("ascii")


@given(FIELDS)
def test_a_query_is_the_standard_librarys_with_blanks_in_hex(params: dict[str, str]) -> None:
    assert forms.query(params) == urlencode(params, quote_via=quote, safe="", errors="replace")


def test_long_texts_are_not_remembered() -> None:
    """Anybody may send them; short ones are, which come again."""
    remembered = forms._remembered
    remembered.cache_clear()
    long, short = "ä" * 513, "ä" * 512
    assert parse_qsl(forms.query({"a": long, "b": short})) == [("a", long), ("b", short)]
    assert remembered.cache_info().currsize == 1
