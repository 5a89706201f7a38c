"""The browser's part of OAuth: away to the provider by `authorize`, and back through `callback`."""

from typing import Literal
from urllib.parse import urlencode

from oneself.actions import callback as callback_action
from oneself.actions import projects, return_urls, start
from oneself.actions.callback import Landing
from oneself.faults import FaultCode
from oneself.model import Project, ProviderCredentials
from oneself.wire.http import TEXT_TYPE, Reply, json_reply
from oneself.wire.stack import asking, bodies, claims, consent, cookies, render
from oneself.wire.stack.access import check_publishable_key
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.faults import refusal_for
from oneself.wire.stack.fields import Filled, LooseForm, Url
from oneself.wire.stack.operation import ANYBODY, Call, Operation, operation
from oneself.wire.stack.refusals import json_text, plain, reply_of

ONLY_SCOPE = "legacy"

# What a provider's form may carry on; the rest is dropped.
RELAYED = frozenset(
    {"code", "state", "error", "error_description", "error_uri", "error_reason", "iss", "scope", "user"}
)
MAX_RELAYED = 16_384


class ProviderPath(LooseForm):
    """The provider, by its id in the project's configuration."""

    provider_id: str


class AuthorizeQuery(LooseForm, kw_only=True):
    """What an application asks for when it sends a browser; further keys pass."""

    client_id: str
    client_secret: str
    redirect_uri: Url
    scope: str
    state: str
    grant_type: Literal["authorization_code"]
    code_challenge: Filled
    code_challenge_method: Literal["S256", "plain"]
    response_type: Literal["code"]
    type: Literal["authenticate", "link"] = "authenticate"
    token: str = ""
    provider_scope: str = ""
    error_redirect_uri: Url = ""
    error_redirect_url: Url = ""
    after_callback_redirect_url: Url = ""
    stack_response_mode: Literal["redirect", "json"] = "redirect"
    hexclave_response_mode: Literal["", "redirect", "json"] = ""
    bot_challenge_token: str = ""
    bot_challenge_phase: str = ""
    bot_challenge_unavailable: str = ""


async def authorize(call: Call, query: AuthorizeQuery) -> Reply:
    """Open a trip and send the browser to the provider, or tell a script where to send it."""
    project = await _project_of_client(call, query)
    key = check_publishable_key(call.rt, project, query.client_secret)
    entry = _provider(project, call.params.provider_id, query)
    if query.type == "link" and not query.token:
        raise plain(400, "?token= query parameter is required for link type")
    after = query.after_callback_redirect_url
    if after and not return_urls.is_trusted(project, after):
        raise known("REDIRECT_URL_NOT_WHITELISTED")
    if query.provider_scope and entry.shared:
        raise known("OAUTH_EXTRA_SCOPE_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS")
    as_json = (query.hexclave_response_mode or query.stack_response_mode) == "json"
    wanted = start.StartRequest(
        **asking.asked_of(entry, call.rt.settings.base_url),
        peer=call.request.peer,
        intent="attach" if query.type == "link" else "sign_in",
        asker_session_id=await _asking_session(call, project, query),
        login_url=query.redirect_uri.partition("#")[0],
        error_url=query.error_redirect_uri or query.error_redirect_url,
        after_callback_url=after,
        app_state=query.state,
        app_challenge=query.code_challenge,
        app_challenge_method=query.code_challenge_method,
        app_key_id=key.id if key else "",
        keyless=key is None,
        scopes=tuple(query.provider_scope.split()),
        cookie="none" if as_json else "plain",
        json_mode=as_json,
    )
    started = await start.begin(call.rt, project, wanted)
    if as_json:
        return json_reply(200, {"location": started.location})
    cookie = cookies.inner(started.state, call.rt.clock(), call.rt.settings)
    return _away(started.location, [("set-cookie", cookie)])


async def _project_of_client(call: Call, query: AuthorizeQuery) -> Project:
    stack_id, hash_sign, branch = query.client_id.partition("#")
    project = await projects.by_stack_id(call.rt, stack_id)
    if project is None or (hash_sign and branch != claims.BRANCH):
        raise known("INVALID_OAUTH_CLIENT_ID_OR_SECRET", client_id=query.client_id)
    return project


def _provider(project: Project, config_id: str, query: AuthorizeQuery) -> ProviderCredentials:
    """The provider's entry, if it is there for what is asked; and what only this wire checks so early."""
    entry = render.config_entry(project, config_id)
    if entry is None:
        raise known("OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED")
    linking = query.type == "link"
    if not (entry.allow_sign_in or (linking and entry.allow_connected_accounts)):
        raise known("OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED")
    if query.scope != ONLY_SCOPE:
        raise known("INVALID_SCOPE", scope=query.scope)
    return entry


async def _asking_session(call: Call, project: Project, query: AuthorizeQuery) -> str:
    """The session behind the `token` parameter: whose user to link to, or which anonymous one signs up at last."""
    if not query.token:
        return ""
    bearer = await claims.decode(call.rt, query.token)
    if bearer.project_id != project.stack_id:
        raise plain(403, "The access token is not valid for this project")
    return bearer.session_id if query.type == "link" or bearer.is_anonymous else ""


async def relay(call: Call) -> Reply:
    """Send an answer that comes as a form round once more by GET (OAuth 2.0 Form Post Response Mode).

    The form comes from another site, so the browser leaves the trip's cookie out; to the GET it adds it. Nothing is
    stored or deleted for whoever posts here.
    """
    request = call.request
    came = request.query | bodies.form(request)
    query = urlencode([(name, value) for name, value in came.items() if name in RELAYED])
    if len(query) > MAX_RELAYED:
        raise plain(400, "The provider's answer is too long.")
    headers = [("location", f"{request.path}?{query}"), ("referrer-policy", "no-referrer")]
    return Reply(303, b"", TEXT_TYPE, headers)


async def callback(call: Call) -> Reply:
    """Take the provider's answer, and send the browser back to the application with a code."""
    request = call.request
    params = request.query
    state = params.get("state", "")
    came = callback_action.CallbackRequest(
        dialect="stack",
        state=state,
        params=params,
        cookie=request.cookie(cookies.inner_name(state)),
        config_id=call.params.provider_id,
    )
    landing = await callback_action.finish(call.rt, came)
    consenting = bool(landing.flow.trip.only_account)
    reply = await consent.landed(call.rt, landing) if consenting else _landed(landing)
    used = landing.fault is not None and landing.fault.code is FaultCode.FLOW_USED
    if landing.flow.cookie_bound and not used:
        reply.headers.append(("set-cookie", cookies.inner_gone(state)))
    return reply


def _landed(landing: Landing) -> Reply:
    """Where the browser goes now: back with a code, back with a known error, or nowhere."""
    if landing.fault is None:
        pairs = [("code", landing.grant), ("state", landing.flow.trip.app_state)]
        location = return_urls.with_query(landing.return_url, pairs)
        return json_reply(303, {}, [("location", location)])
    facts = {"project_id": landing.project.stack_id, **landing.fault.facts}
    refused = refusal_for(landing.fault, "oauth_callback", facts)
    back = callback_action.error_url(landing) if refused.code else ""
    if not back:
        return reply_of(refused)
    pairs = [
        ("error", "server_error"),
        ("error_description", refused.text),
        ("errorCode", refused.code),
        ("message", refused.text),
        ("details", json_text(refused.details or {})),
    ]
    return _away(return_urls.with_query(back, pairs), [])


def _away(location: str, headers: list[tuple[str, str]]) -> Reply:
    return Reply(307, b"", TEXT_TYPE, [("location", location), *headers])


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "GET",
        "/auth/oauth/authorize/{provider_id}",
        authorize,
        "Send a browser to a provider",
        allowed=ANYBODY,
        status=307,
        params=ProviderPath,
        query=AuthorizeQuery,
    ),
    operation(
        "GET",
        "/auth/oauth/callback/{provider_id}",
        callback,
        "Take a provider's answer",
        allowed=ANYBODY,
        status=303,
        params=ProviderPath,
        loose=True,
    ),
    operation(
        "POST",
        "/auth/oauth/callback/{provider_id}",
        relay,
        "Take a provider's answer that came as a form",
        name="oauth_callback_form",
        allowed=ANYBODY,
        status=303,
        params=ProviderPath,
        loose=True,
    ),
)
