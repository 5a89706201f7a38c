"""The page that every `error_url` leads to: each refusal of this dialect, with its status and its words."""

from html import escape

from oneself.wire.http import HTML_TYPE, Reply
from oneself.wire.stytch import pages
from oneself.wire.stytch.call import Call
from oneself.wire.stytch.faults import FAULTS
from oneself.wire.stytch.refusals import WIRE


async def errors(_call: Call) -> Reply:
    """`GET /v1/errors`: for people, and for nobody's secrets."""
    return Reply(200, _PAGE, HTML_TYPE, pages.page_headers())


def _page() -> bytes:
    words: dict[str, list[str]] = {}
    statuses: dict[str, int] = {}
    for row in (*WIRE.values(), *FAULTS.values()):
        statuses[row.error_type] = row.status
        said = words.setdefault(row.error_type, [])
        if row.message not in said:
            said.append(row.message)
    rows = "".join(
        f'<h2 id="{name}">{name}</h2><p>{statuses[name]}</p>'
        + "".join(f"<p>{escape(text)}</p>" for text in words[name])
        for name in sorted(words)
    )
    return pages.whole("Errors", f"<h1>Errors of the Stytch dialect</h1>{rows}").encode()


_PAGE = _page()
