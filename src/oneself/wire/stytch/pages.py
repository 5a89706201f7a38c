"""Pages for people whose sign-in could not go on: what happened, and what to do."""

import base64
import hashlib
from html import escape
from typing import NamedTuple

from oneself.wire.http import HTML_TYPE, Reply, Request

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.5rem;"
    "color:#1d2433;background:#fff}h1{font-size:1.5rem}a{color:#1a5fb4}"
    ".do a{display:inline-block;margin:.5rem 1rem .5rem 0;padding:.5rem 1rem;border:1px solid;"
    "border-radius:.4rem;text-decoration:none}small{color:#5a6275}"
    "@media(prefers-color-scheme:dark){body{color:#e6e8ee;background:#14171f}a{color:#8ab4f8}"
    "small{color:#9aa3b5}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Way(NamedTuple):
    """One link of a page: where it leads and what it says."""

    url: str
    words: str


class Advice(NamedTuple):
    """What a page says to a person: what happened, and what to do."""

    happened: str
    do: str


_AGAIN = "Go back to the application and sign in again."
_TELL = "Go back to the application, and tell its makers if it happens again."
_MAKERS = Advice(
    "The application asked for a sign-in in a way that is not allowed.",
    "Tell the application's makers; the code below says what is wrong.",
)

ADVICE: dict[str, Advice] = {
    "oauth_state_mismatch": Advice(
        "This sign-in was started in another browser, or its cookie is gone.",
        "Open the application in this browser and sign in from there. If it happens again, allow"
        " cookies for this address.",
    ),
    "oauth_state_used": Advice("This sign-in has already been finished.", _AGAIN),
    "oauth_invalid_state": Advice("This sign-in is not known here.", _AGAIN),
    "expired_oauth_response": Advice("This sign-in took too long.", _AGAIN),
    "oauth_invalid_callback_request": Advice("The answer of the provider did not fit.", _AGAIN),
    "oauth_flow_callback_error": Advice(
        "Access was not granted, so nothing was changed.",
        "You can try again, or go back to the application.",
    ),
    "oauth_registration_in_use": Advice(
        "This account already belongs to another user of the application. It was not moved.",
        "Sign in with it to use it there, or go back and choose another account.",
    ),
    "invalid_oauth_attach_token": Advice(
        "The request to link an account is no longer valid.",
        "Go back to the application and start linking again.",
    ),
    "sign_up_closed": Advice("The application does not take new users.", _TELL),
    "duplicate_email": Advice(
        "Somebody already uses this email address in the application.",
        "Sign in the way you did before; you can link this account afterwards.",
    ),
    "oauth_unverified_email": Advice(
        "This email address has not been verified.",
        "Verify it with the provider, then sign in again.",
    ),
    "user_locked": Advice("This user may not sign in at present.", _TELL),
    "server_unavailable": Advice("This cannot be answered right now.", "Try again in a moment."),
    "too_many_requests": Advice("There were too many attempts.", "Wait a minute, then try again."),
    "oauth_auth_code_error": Advice("The provider took back its answer.", _AGAIN),
    "oauth_token_exchange_invalid_client": Advice(
        "The provider does not accept how the application is registered with it.", _TELL
    ),
    "unable_to_authorize_oauth_provider": Advice("The provider's answer was not usable.", _TELL),
    "internal_server_error": Advice("Something went wrong here.", _AGAIN),
}


def wanted(request: Request) -> bool:
    """Say whether a person's browser asks: it names HTML, and not JSON before it."""
    accepted = request.header("accept").lower()
    page, data = accepted.find("text/html"), accepted.find("application/json")
    return page >= 0 and not 0 <= data < page


def refusal_page(status: int, error_type: str, request_id: str, ways: tuple[Way, ...] = ()) -> Reply:
    """Return the page for a refusal; nothing from the request is on it but the links that the
    caller has checked.
    """
    advice = ADVICE.get(error_type, _MAKERS)
    links = "".join(
        f'<a href="{escape(way.url)}" rel="noreferrer">{escape(way.words)}</a>' for way in ways if _harmless(way.url)
    )
    page = whole(
        "Sign-in stopped",
        f"<h1>{escape(advice.happened)}</h1><p>{escape(advice.do)}</p>"
        f'<p class="do">{links}</p>'
        f"<p><small>{escape(error_type)} &middot; {escape(request_id)}</small></p>",
    )
    return Reply(status, page.encode(), HTML_TYPE, page_headers())


def whole(title: str, body: str) -> str:
    """Return a page; `body` is markup of our own."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )


def page_headers() -> list[tuple[str, str]]:
    """Return the headers that fence a page in."""
    return [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ]


def _harmless(url: str) -> bool:
    scheme = url.partition(":")[0].lower()
    return url.startswith("/") or scheme not in ("javascript", "data", "vbscript", "blob", "file")
