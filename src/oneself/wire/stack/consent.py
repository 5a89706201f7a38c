"""`/auth/oauth/consent`: a link that asks its owner for more consent at a provider. An addition of ours to this wire.

A refused read of a token offers it (docs/decisions-stack.md). Whoever opens it goes to the provider; if the connected
account comes back, its new tokens are kept at once, and the browser goes where the application said.
"""

from oneself.actions import callback, consent, redeem, return_urls, start
from oneself.actions.callback import Landing
from oneself.actions.redeem import RedeemRequest
from oneself.actions.runtime import Runtime
from oneself.faults import Fault
from oneself.model import Secret
from oneself.wire.http import TEXT_TYPE, Reply
from oneself.wire.stack import asking, cookies, render
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.faults import refusal_for
from oneself.wire.stack.fields import LooseForm
from oneself.wire.stack.operation import ANYBODY, Call, Operation, operation
from oneself.wire.stack.refusals import reply_of

PATH = "/auth/oauth/consent"


class LinkPath(LooseForm):
    """The link's last part, as the refusal gave it."""

    link: str


def consent_url(rt: Runtime, link: str) -> str:
    """The whole link."""
    return f"{rt.settings.base_url}/api/v1{PATH}/{link}"


async def begin(call: Call) -> Reply:
    """Send whoever opens the link to the provider, to consent to what it names."""
    rt = call.rt
    project, asked = await consent.opened(rt, call.params.link)
    entry = render.config_entry(project, asked.config_id)
    if entry is None or not entry.allow_connected_accounts:
        raise known("OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED")
    wanted = start.StartRequest(
        **asking.asked_of(entry, rt.settings.base_url),
        peer=call.request.peer,
        intent="attach",
        asker_user_id=asked.user_id,
        only_account=asked.account_id,
        login_url=asked.return_url,
        scopes=asked.scopes,
        cookie="plain",
    )
    started = await start.begin(rt, project, wanted)
    cookie = cookies.inner(started.state, rt.clock(), rt.settings)
    return Reply(307, b"", TEXT_TYPE, [("location", started.location), ("set-cookie", cookie)])


async def landed(rt: Runtime, landing: Landing) -> Reply:
    """Keep what came back, and send the browser to the application with `consent=granted`, or `refused` and why."""
    fault = landing.fault
    if fault is None:
        wanted = RedeemRequest(dialect="stack", grant=Secret(landing.grant))
        try:
            await redeem.redeem(rt, landing.project, wanted)
        except Fault as refused:
            fault = refused
    back = callback.error_url(landing)
    if not back:
        facts = {"project_id": landing.project.stack_id}
        return reply_of(refusal_for(fault, "oauth_callback", facts) if fault else known("REDIRECT_URL_NOT_WHITELISTED"))
    pairs = [("consent", "granted")] if fault is None else [("consent", "refused"), ("reason", fault.code.value)]
    return Reply(303, b"", TEXT_TYPE, [("location", return_urls.with_query(back, pairs))])


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "GET",
        PATH + "/{link}",
        begin,
        "Ask a person for more consent at a provider",
        allowed=ANYBODY,
        status=307,
        params=LinkPath,
        loose=True,
    ),
)
