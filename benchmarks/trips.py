"""A browser's trip to the provider and back, leg by leg, in the words of either dialect."""

import base64
import hashlib
import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec

from benchmarks.http_client import Answer, Connection, connect, request
from benchmarks.load import WrongAnswer, check
from benchmarks.people import PROVIDER
from benchmarks.site import RETURN_URL, Site

SESSION_MINUTES = 60
STACK_RETURN = "http://localhost:3000/handler/oauth-callback"
# The application's PKCE; one pair for all trips costs the server what a fresh one would.
VERIFIER = "benchmark-verifier-benchmark-verifier-benchmark"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
_COOKIE = re.compile(r"^([^=;]+=[^;]+)")


@dataclass(frozen=True, slots=True)
class Trip:
    """Where a trip is: the next address for its browser, its cookie, and in the end its one-time token."""

    location: str
    cookie: str = ""
    grant: str = ""


def basic(site: Site) -> str:
    """The `Authorization` of the application's backend in Stytch's dialect."""
    pair = f"{site.keys.stytch_id}:{site.keys.stytch_secret}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


class Trips:
    """What the two dialects share: the stop at the provider, and coming back."""

    landed_status = 302

    def __init__(self, site: Site) -> None:
        self.site = site

    async def to_provider(self) -> Connection:
        """A connection to the provider."""
        return await connect(self.site.provider_address)

    async def authorize(self, at_provider: Connection, trip: Trip) -> Trip:
        """Let the provider's page pick the person, and take the way back."""
        answer = await at_provider.send(_browse(trip.location))
        location = _moved(answer, 302)
        if "code=" not in location:
            raise WrongAnswer(f"the provider sent no code: {location}")
        return replace(trip, location=location)

    async def land(self, connection: Connection, trip: Trip) -> Trip:
        """Come back to the server; it talks to the provider and sends the browser to the application."""
        answer = await connection.send(_browse(trip.location, trip.cookie))
        query = parse_qs(urlsplit(_moved(answer, self.landed_status)).query)
        grant = query.get("token") or query.get("code")
        if not grant:
            raise WrongAnswer(f"the callback gave no one-time token: {query}")
        return Trip("", grant=grant[0])

    def _started(self, answer: Answer, status: int) -> Trip:
        cookie = _COOKIE.match(answer.header("set-cookie"))
        location = _moved(answer, status)
        if cookie is None or not location.startswith(self.site.provider_url):
            raise WrongAnswer(f"the start led to {location}")
        return Trip(location, cookie[1])


class StytchTrips(Trips):
    """Stytch's legs."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._headers = {"authorization": basic(site), "content-type": "application/json"}

    async def start(self, connection: Connection, persona: str) -> Trip:
        """`public/oauth/{provider}/start`, with PKCE and a hint who will sign in."""
        query = urlencode(
            {
                "public_token": self.site.keys.public_token,
                "login_redirect_url": RETURN_URL,
                "signup_redirect_url": RETURN_URL,
                "code_challenge": CHALLENGE,
                "provider_login_hint": persona,
            }
        )
        asked = request("GET", f"/v1/public/oauth/{PROVIDER}/start?{query}", self.site.host)
        return self._started(await connection.send(asked), 302)

    async def redeem(self, connection: Connection, trip: Trip) -> None:
        """`oauth/authenticate`, for a session of an hour."""
        body = {"token": trip.grant, "code_verifier": VERIFIER, "session_duration_minutes": SESSION_MINUTES}
        target = "/v1/oauth/authenticate"
        asked = request("POST", target, self.site.host, self._headers, msgspec.json.encode(body))
        check(await connection.send(asked), 200, b'"session_jwt":"ey')


class StackTrips(Trips):
    """Stack Auth's legs."""

    landed_status = 303

    async def start(self, connection: Connection, persona: str) -> Trip:
        """`auth/oauth/authorize/{provider}`; the dialect passes no hint on: it is added afterwards."""
        query = urlencode(
            {
                "client_id": self.site.keys.stack_id,
                "client_secret": self.site.keys.client_key,
                "redirect_uri": STACK_RETURN,
                "scope": "legacy",
                "state": "benchmark",
                "grant_type": "authorization_code",
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
                "response_type": "code",
            }
        )
        asked = request("GET", f"/api/v1/auth/oauth/authorize/{PROVIDER}?{query}", self.site.host)
        trip = self._started(await connection.send(asked), 307)
        return replace(trip, location=f"{trip.location}&login_hint={quote(persona)}")

    async def redeem(self, connection: Connection, trip: Trip) -> None:
        """`auth/oauth/token` for the code."""
        body = {
            "grant_type": "authorization_code",
            "code": trip.grant,
            "redirect_uri": STACK_RETURN,
            "code_verifier": VERIFIER,
            "client_id": self.site.keys.stack_id,
            "client_secret": self.site.keys.client_key,
        }
        headers = {"content-type": "application/x-www-form-urlencoded"}
        asked = request("POST", "/api/v1/auth/oauth/token", self.site.host, headers, urlencode(body).encode())
        check(await connection.send(asked), 200, b'"refresh_token":"')


def _browse(url: str, cookie: str = "") -> bytes:
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return request("GET", target, parts.netloc, {"cookie": cookie} if cookie else {})


def _moved(answer: Answer, status: int) -> str:
    check(answer, status, b"")
    return answer.header("location")
