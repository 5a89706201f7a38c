"""Leg 1 of a trip: freeze what the application asks for in a flow, and send the browser to the provider."""

from dataclasses import dataclass

import msgspec

from oneself.actions.runtime import Runtime, client_of, count_start
from oneself.crypto import opaque, pkce
from oneself.crypto.ids import new_uuid
from oneself.faults import Fault, FaultCode
from oneself.model import Dialect, Flow, Intent, Noun, Project, ProviderCredentials, Secret, Trip
from oneself.rules import scopes
from oneself.rules.lifetimes import SECOND
from oneself.rules.policies import policy_of
from oneself.rules.return_urls import chosen_url, is_trusted
from oneself.steps.flow_secrets import cookie_hash, state_hash, ticket_hash
from oneself.store import flows
from oneself.upstream import discovery
from oneself.upstream.authorize import authorize_url
from oneself.upstream.client import Client

# What a cookie holds that only has to be there: one dialect's contract fixes its text.
PLAIN_COOKIE = "true"
# All that an application gives a trip to carry, in bytes: anybody may begin one, and each is a row.
MAX_TRIP_BYTES = 16_384


class StartRequest(Noun, frozen=True, kw_only=True):
    """What the application asks for. `cookie` says how the trip is bound to the browser.

    `derived`: a secret value that only we can tell; `plain`: a fixed text under a name that holds the state; `none`:
    not at all (the application's PKCE ties the ends). `check_urls` asks for the allow-list of login and signup URLs;
    without it only `after_callback_url` is checked here, the rest in the callback. `peer` is the browser's address, for
    the limit on starts; empty is not counted by address. `asker_user_id` is a user whom the server itself names, and
    `only_account` that user's account which alone may come back. `app_key_id` is the project's key that the application
    showed, `keyless` that it showed none: the callback asks again whether that still does.
    """

    dialect: Dialect
    config_id: str
    callback_url: str
    intent: Intent = "sign_in"
    ticket: Secret | None = None
    asker_session_id: str = ""
    asker_user_id: str = ""
    only_account: str = ""
    login_url: str = ""
    signup_url: str = ""
    error_url: str = ""
    after_callback_url: str = ""
    check_urls: bool = False
    app_state: str = ""
    app_challenge: str = ""
    app_challenge_method: str = ""
    app_key_id: str = ""
    keyless: bool = False
    scopes: tuple[str, ...] = ()
    base_scopes: tuple[str, ...] | None = None
    authorize_params: dict[str, str] = msgspec.field(default_factory=dict)
    extra_params: dict[str, str] = msgspec.field(default_factory=dict)
    cookie: str = "derived"
    json_mode: bool = False
    nonce: bool = True
    peer: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """Where to send the browser, and what to put into its cookie (empty where none is due); `max_age` in seconds."""

    location: str
    state: str
    cookie: str
    max_age: int


async def begin(rt: Runtime, project: Project, wanted: StartRequest) -> Started:
    """Open a flow at `started`, or move the ticket's flow there: one statement, one commit.

    Raises Fault(PROVIDER_UNKNOWN), Fault(PROVIDER_NOT_CONFIGURED), Fault(SHARED_SCOPES_REFUSED),
    Fault(REDIRECT_INVALID), Fault(REDIRECT_NOT_ALLOWED), Fault(REDIRECT_NOT_SET), Fault(CHALLENGE_INVALID),
    Fault(TICKET_INVALID), Fault(ASKER_GONE), Fault(REQUEST_INVALID) for more than a trip may carry,
    Fault(LIMIT_REACHED) with the fact `retry_after` in seconds, and what fetching an issuer's metadata may raise.
    """
    count_start(rt, project, wanted.peer)
    credentials, client = await client_of(rt, project, wanted.config_id)
    if credentials.shared and wanted.scopes:
        raise Fault(FaultCode.SHARED_SCOPES_REFUSED, "shared credentials ask for their own scopes only")
    _check_challenge(wanted)
    client = await discovery.complete(rt.outbound, client)
    trip = _trip(project, wanted, credentials, client)
    if len(msgspec.json.encode(trip)) > MAX_TRIP_BYTES:
        raise Fault(FaultCode.REQUEST_INVALID, "more than a trip may carry")
    flow_id = _flow_id(rt, wanted)
    state = opaque.new_state(project.id, flow_id, rt.random)
    flow_key = rt.ring.flow_key(rt.ring.flow_key_id)
    cookie = {"derived": opaque.derive_browser(flow_key, state), "plain": PLAIN_COOKIE}.get(wanted.cookie, "")
    await _open(rt, project, wanted, trip, flow_id, state, cookie)
    location = authorize_url(
        client,
        redirect_uri=trip.callback_url,
        state=state,
        verifier_challenge=pkce.challenge_s256(opaque.derive_verifier(flow_key, state)),
        scopes=trip.scopes,
        nonce=opaque.derive_nonce(flow_key, state) if trip.nonce else None,
        extra=wanted.extra_params,
        base_params=wanted.authorize_params,
    )
    return Started(location, state, cookie, rt.settings.flow_seconds)


def _check_challenge(wanted: StartRequest) -> None:
    if wanted.app_challenge_method == "S256" and not pkce.is_challenge_s256(wanted.app_challenge):
        raise Fault(FaultCode.CHALLENGE_INVALID, "not the base64url of a SHA-256 digest")


def _trip(project: Project, wanted: StartRequest, credentials: ProviderCredentials, client: Client) -> Trip:
    login, signup = wanted.login_url, wanted.signup_url
    if wanted.check_urls:
        login = chosen_url(project, login, "login")
        signup = chosen_url(project, signup, "signup")
    if wanted.after_callback_url and not is_trusted(project, wanted.after_callback_url):
        raise Fault(FaultCode.REDIRECT_NOT_ALLOWED, "not a trusted domain", which="after_callback")
    base = client.scopes if wanted.base_scopes is None else wanted.base_scopes
    return Trip(
        intent="attach" if wanted.ticket else wanted.intent,
        policy=policy_of(project, wanted.dialect),
        config_id=wanted.config_id,
        provider=credentials.provider,
        scopes=scopes.merged(base, wanted.scopes),
        login_url=login,
        signup_url=signup,
        error_url=wanted.error_url,
        after_callback_url=wanted.after_callback_url,
        app_state=wanted.app_state,
        app_challenge=wanted.app_challenge,
        app_challenge_method=wanted.app_challenge_method,
        app_key_id=wanted.app_key_id,
        keyless=wanted.keyless,
        callback_url=wanted.callback_url,
        json_mode=wanted.json_mode,
        only_account=wanted.only_account,
        nonce=wanted.nonce and client.id_token is not None and client.id_token.nonce,
    )


def _flow_id(rt: Runtime, wanted: StartRequest) -> str:
    if wanted.ticket is None:
        return new_uuid(rt.random)
    flow_id = opaque.read_ticket(wanted.ticket.reveal())
    if flow_id is None:
        raise Fault(FaultCode.TICKET_INVALID, "not a ticket")
    return flow_id


async def _open(
    rt: Runtime, project: Project, wanted: StartRequest, trip: Trip, flow_id: str, state: str, cookie: str
) -> None:
    now = rt.clock()
    flow = Flow(
        id=flow_id,
        project_id=project.id,
        dialect=wanted.dialect,
        kind="identity",
        stage="started",
        config_id=wanted.config_id,
        key_id=rt.ring.flow_key_id,
        cookie_bound=bool(cookie),
        created_at=now,
        expires_at=now + rt.settings.flow_seconds * SECOND,
        trip=trip,
    )
    secrets = flows.Secrets(state=state_hash(state), cookie=cookie_hash(cookie))
    if wanted.ticket is not None:
        secrets = flows.Secrets(ticket_hash(wanted.ticket.reveal()), secrets.state, secrets.cookie)
        if not await flows.start_reserved(rt.db, flow, secrets, now):
            raise Fault(FaultCode.TICKET_INVALID, "spent, expired, or for another provider")
    elif wanted.asker_session_id:
        opened = await flows.open_for_session(rt.db, flow, secrets, wanted.asker_session_id)
        if not opened and wanted.intent == "attach":
            raise Fault(FaultCode.ASKER_GONE, "the asking session is over")
        if not opened:
            await flows.open_unasked(rt.db, flow, secrets)
    elif wanted.asker_user_id:
        if not await flows.open_for_user(rt.db, flow, secrets, wanted.asker_user_id):
            raise Fault(FaultCode.ASKER_GONE, "the user is gone")
    else:
        await flows.open_unasked(rt.db, flow, secrets)
