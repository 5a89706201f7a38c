"""The browser's two legs of an OAuth trip: out to the provider, and back from it."""

from urllib.parse import parse_qsl, urlencode

from oneself.actions import callback as returning
from oneself.actions import projects, start
from oneself.actions.callback import CallbackRequest, Landing
from oneself.actions.return_urls import with_query
from oneself.actions.start import StartRequest
from oneself.faults import Fault, FaultCode
from oneself.model import Project, Secret, Trip
from oneself.wire.http import TEXT_TYPE, Reply
from oneself.wire.stytch import pages
from oneself.wire.stytch.call import Call
from oneself.wire.stytch.cookies import TripCookies, callback_path
from oneself.wire.stytch.envelope import faulted
from oneself.wire.stytch.refusals import Refusal
from oneself.wire.stytch.sessions import KIND

_FORWARDED = "provider_"
# What a provider may send back; the rest of a callback is dropped.
_ANSWERS = frozenset({"code", "state", "error", "error_description", "error_uri", "iss", "scope", "user", "id_token"})


async def begin(call: Call) -> Reply:
    """`GET /v1/public/oauth/{provider}/start`: send the browser to the provider."""
    given = _once(call.request.query_pairs)
    project = await _public_project(call, given.get("public_token", ""))
    ticket = given.get("oauth_attach_token", "")
    started = await start.begin(
        call.rt,
        project,
        StartRequest(
            dialect=KIND,
            peer=call.request.peer,
            config_id=call.request.params["provider"],
            intent="attach" if ticket else "sign_in",
            ticket=Secret(ticket) if ticket else None,
            login_url=given.get("login_redirect_url", ""),
            signup_url=given.get("signup_redirect_url", ""),
            app_challenge=given.get("code_challenge", ""),
            app_challenge_method="S256" if given.get("code_challenge") else "",
            scopes=tuple(given.get("custom_scopes", "").split()),
            extra_params={
                name.removeprefix(_FORWARDED): value
                for name, value in given.items()
                if name.startswith(_FORWARDED) and name != _FORWARDED
            },
            callback_url=call.rt.settings.base_url + callback_path(project),
            check_urls=True,
        ),
    )
    cookies = TripCookies(project, call.rt.settings.secure).begin(
        call.request, started.state, started.cookie, started.max_age
    )
    return _redirect(302, started.location, cookies)


async def finish(call: Call) -> Reply:
    """`GET /v1/oauth/callback/{callback_id}`: take the provider's answer and send the browser on to
    the application with a one-time token, or say on a page why not.
    """
    project = await _callback_project(call)
    params = _once(call.request.query_pairs)
    state = params.get("state", "")
    cookies = TripCookies(project, call.rt.settings.secure)
    landing = await returning.finish(
        call.rt,
        CallbackRequest(
            dialect=KIND,
            state=state,
            params={name: value for name, value in params.items() if name in _ANSWERS},
            cookie=call.request.cookie(cookies.name(state)),
            callback_id=project.stytch_callback_id,
        ),
    )
    if landing.fault is not None:
        return _stopped(call, landing, landing.fault)
    location = with_query(landing.return_url, [("stytch_token_type", "oauth"), ("token", landing.grant)])
    return _redirect(302, location)


async def relay(call: Call) -> Reply:
    """`POST /v1/oauth/callback/{callback_id}`: a provider that answers by form (OAuth 2.0 Form Post
    Response Mode) comes across sites, so the browser sends no cookie; go round once more by GET.
    """
    project = await _callback_project(call)
    try:
        form = parse_qsl(call.request.body.decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise Refusal("bad_request", "The form could not be read.") from None
    answer = [(name, value) for name, value in _once(form).items() if name in _ANSWERS]
    return _redirect(303, f"{callback_path(project)}?{urlencode(answer)}")


def _redirect(status: int, location: str, cookies: list[str] | None = None) -> Reply:
    headers = [
        ("location", location),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
    ]
    headers += [("set-cookie", cookie) for cookie in cookies or []]
    return Reply(status, b"", TEXT_TYPE, headers)


# After these the same sign-in may well succeed.
_WORTH_AGAIN = frozenset(
    {
        FaultCode.PROVIDER_DENIED,
        FaultCode.PROVIDER_UNAVAILABLE,
        FaultCode.PROVIDER_GRANT_INVALID,
        FaultCode.FLOW_EXPIRED,
    }
)
# Whoever meets these may be somebody else than the one who began the trip.
_STRANGER = frozenset({FaultCode.FLOW_COOKIE_MISSING, FaultCode.FLOW_PROVIDER_MISMATCH})


def _stopped(call: Call, landing: Landing, fault: Fault) -> Reply:
    return faulted(call, fault, _ways(call.rt.settings.base_url, landing, fault))


def _ways(base_url: str, landing: Landing, fault: Fault) -> tuple[pages.Way, ...]:
    """The links of a page: try a sign-in again, or go back to the application; only to addresses
    that were checked when the trip began.
    """
    if fault.code in _STRANGER:
        return ()
    trip = landing.flow.trip
    ways = []
    if trip.intent == "sign_in" and fault.code in _WORTH_AGAIN:
        ways.append(pages.Way(_again(base_url, landing.project, trip), "Sign in again"))
    ways.append(pages.Way(trip.login_url, "Back to the application"))
    return tuple(ways)


def _again(base_url: str, project: Project, trip: Trip) -> str:
    """The address that starts the same sign-in anew, with the application's own PKCE challenge."""
    pairs = [
        ("public_token", project.stytch_public_token),
        ("login_redirect_url", trip.login_url),
        ("signup_redirect_url", trip.signup_url),
        ("code_challenge", trip.app_challenge),
        ("custom_scopes", " ".join(trip.scopes)),
    ]
    query = urlencode([(name, value) for name, value in pairs if value])
    return f"{base_url}/v1/public/oauth/{trip.config_id}/start?{query}"


async def _public_project(call: Call, public_token: str) -> Project:
    if not public_token:
        raise Refusal("public_token_required")
    project = await projects.by_public_token(call.rt, public_token)
    if project is None:
        raise Refusal("public_token_not_found")
    call.belongs_to(project)
    return project


async def _callback_project(call: Call) -> Project:
    project = await projects.by_callback_id(call.rt, call.request.params["callback_id"])
    if project is None:
        raise Refusal("route_not_found")
    call.belongs_to(project)
    return project


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Parameters by name; one that comes twice could mean one thing to us and another to others."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refusal("bad_request", "A parameter is given more than once.")
    return found
