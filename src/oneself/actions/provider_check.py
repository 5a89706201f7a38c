"""Try a project's credentials at a provider without anybody signing in: a code that cannot be is offered, and how it is
refused tells whether our client was recognised; and the address that browsers are sent to is looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from oneself.actions.runtime import Runtime, client_of
from oneself.faults import Fault, FaultCode
from oneself.model import Project
from oneself.providers.spec import Evidence
from oneself.upstream import discovery
from oneself.upstream.authorize import authorize_url
from oneself.upstream.client import Client
from oneself.upstream.tokens import exchange_code

# No provider gives out such a code, and none signs anybody in for such a state.
NO_CODE = "oneself-check-this-is-no-code"
_LONG_ENOUGH = NO_CODE.ljust(43, "0")


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was tried: whether it is right (None: it cannot be told), and what to do where it is not."""

    name: str
    ok: bool | None
    words: str


async def trials(rt: Runtime, project: Project, config_id: str, callback_urls: Mapping[str, str]) -> list[Trial]:
    """Try one provider of a project: its settings, what its issuer publishes, whether the token endpoint knows us, and
    what a browser would meet.

    `callback_urls` are those that are registered there, by dialect. Raises Fault(PROVIDER_NOT_CONFIGURED),
    Fault(PROVIDER_UNKNOWN), Fault(PROVIDER_MISCONFIGURED) for settings that no client can be made of.
    """
    credentials, client = await client_of(rt, project, config_id)
    done = [Trial("client", True, "the server's shared one")] if credentials.shared else _settings(client)
    if any(trial.ok is False for trial in done):
        return done
    try:
        client = await discovery.complete(rt.outbound, client)
    except Fault as fault:
        return [*done, _discovery(client, fault)]
    if client.endpoints.get("discovery"):
        done.append(Trial("discovery", True, f"{client.issuer} publishes itself under that very name"))
    if client.id_token is not None:
        done.append(await _keys(rt, client))
    done.append(await _token(rt, client, next(iter(callback_urls.values()))))
    seen = [await _browser(rt, client, dialect, url) for dialect, url in callback_urls.items()]
    return done + (list(map(_one_is_enough, seen)) if any(trial.ok for trial in seen) else seen)


def _one_is_enough(trial: Trial) -> Trial:
    """Most projects speak one dialect: what is refused beside what is accepted may be just what nobody needs."""
    if trial.ok is not False:
        return trial
    return replace(trial, ok=None, words=f"{trial.words} It is needed by applications of that dialect alone.")


def _settings(client: Client) -> list[Trial]:
    """What is wrong already before anybody is asked; nothing where all is there."""
    found = []
    if not client.client_id:
        found.append("No client_id is set. Copy it from the provider's page of your application.")
    if client.public and "none" not in client.provider.client_auth and not client.options.get("client_auth"):
        found.append("No client_secret is set. Copy it from the provider's page, or make a new one there.")
    if client.unread_options:
        named = ", ".join(f"`{name}`" for name in client.unread_options)
        found.append(f"Nobody reads these options here: {named}. Are they spelled as in docs/providers.md?")
    try:
        client.provider.profile(Evidence(issuer=client.issuer, options=client.options))
    except Fault as fault:
        # an empty answer is no account; but settings that could read none are told here
        if fault.code is FaultCode.PROVIDER_MISCONFIGURED:
            found.append(f"Nobody could be told apart: {fault.detail}.")
    return [Trial("client", False, words) for words in found]


async def _keys(rt: Runtime, client: Client) -> Trial:
    where = client.endpoints.get("jwks", "")
    try:
        published = await discovery.keys(rt.outbound, client)
    except Fault as fault:
        return Trial("keys", False, f"{where or 'The jwks address'}: {fault.detail}. Is the address right?")
    count = len(published.get("keys") or ())
    if count:
        return Trial("keys", True, f"{count} to check id_tokens with")
    return Trial("keys", False, f"{where} holds no key, so no id_token can be checked. Is the address right?")


def _discovery(client: Client, fault: Fault) -> Trial:
    where = client.endpoints.get("discovery", "")
    if not client.issuer:
        why = "No issuer is set. Write the issuer's URL, as its metadata has it."
    elif fault.code is FaultCode.PROVIDER_UNAVAILABLE:
        why = f"{where} does not answer ({fault.detail}). Is the address right, and may this machine reach it?"
    elif fault.code is not FaultCode.PROVIDER_MISCONFIGURED:
        why = f"{where} answers something else ({fault.detail}). Is it the address of an issuer?"
    elif fault.step == "discovery":
        why = f"{where}: {fault.detail}. Set `issuer` to the text that stands in the metadata, slash for slash."
    else:
        why = _unsent(fault)
    return Trial("discovery", False, why)


async def _token(rt: Runtime, client: Client, callback_url: str) -> Trial:
    try:
        await exchange_code(rt.outbound, client, NO_CODE, callback_url, _LONG_ENOUGH)
    except Fault as fault:
        return _refused(client, fault)
    return Trial("credentials", False, "The token endpoint took a code that cannot be. It is no token endpoint.")


def _refused(client: Client, fault: Fault) -> Trial:
    said = f"({fault.detail})" if fault.detail else ""
    name = client.provider.name
    if fault.code is FaultCode.PROVIDER_GRANT_INVALID:
        return Trial("credentials", True, f"{name} knows the client and takes its secret")
    if fault.code is FaultCode.PROVIDER_UNAVAILABLE:
        words = f"{name} does not answer right now {said}. Try again, or check that this machine may reach it."
        return Trial("credentials", None, words)
    if fault.facts.get("status") in (404, 405):
        words = f"{client.address('token')} is no token endpoint {said}. Is the address right?"
        return Trial("credentials", False, words)
    if fault.code is not FaultCode.PROVIDER_MISCONFIGURED:
        return Trial("credentials", None, f"{name} answers in a way that tells nothing {said}.")
    if "status" not in fault.facts:
        return Trial("credentials", False, _unsent(fault))
    return Trial("credentials", False, _no_client(client, fault, said))


def _unsent(fault: Fault) -> str:
    """What to mend where nothing was sent, because our own settings do not allow it."""
    if fault.step == "secret":
        need = "Give the private key (PEM) as client_secret, and key_id and team_id as options."
        return f"Nothing was sent: {fault.detail}. {need}"
    if "no public address" in fault.detail:
        return f"{fault.detail}, so it is not called. If it is yours, name the host in `allowed_private_hosts`."
    return f"Nothing was sent: {fault.detail}. Mend the provider's `endpoints`."


def _no_client(client: Client, fault: Fault, said: str) -> str:
    name = client.provider.name
    if "redirect_uri" in fault.detail:
        return f"{name} does not know the redirect URI {said}. Register those of `oneself provider show`."
    if "unsupported_grant_type" in fault.detail:
        return f"{name} does not let this client use codes {said}. Make it a web application there."
    what = "the key, key_id and team_id" if client.provider.signed_secret else "client_id and client_secret"
    kind = " Is it a web application there?" if "unauthorized_client" in fault.detail else ""
    return (
        f"{name} refused our client {said}. Copy {what} from the provider's page again; a secret that was replaced "
        f"there no longer works.{kind}"
    )


async def _browser(rt: Runtime, client: Client, dialect: str, callback_url: str) -> Trial:
    """Look at what a browser would meet: a refusal is one, a page or a redirect tells only that somebody is there."""
    name, provider = f"redirect URI for {dialect}", client.provider.name
    try:
        url = authorize_url(
            client, redirect_uri=callback_url, state=_LONG_ENOUGH, verifier_challenge=_LONG_ENOUGH, nonce=NO_CODE
        )
        reply = await rt.outbound.send("GET", url, headers={"Accept": "text/html"})
    except Fault as fault:
        if fault.code is FaultCode.PROVIDER_MISCONFIGURED:
            return Trial(name, False, _unsent(fault))
        return Trial(name, None, f"{provider}'s page could not be looked at ({fault.detail}).")
    if 400 <= reply.status < 500 and reply.status not in (403, 408, 425, 429):
        words = f"{provider} shows browsers a refusal (status {reply.status}). Register {callback_url} there."
        return Trial(name, False, words)
    if reply.status >= 400:
        return Trial(name, None, f"{provider}'s page does not open for scripts (status {reply.status}).")
    return Trial(name, True, f"{provider} shows browsers its page; some refuse an unknown redirect URI only there")
