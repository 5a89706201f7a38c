"""Try a project's credentials at a provider without anybody signing in: a code that cannot be is offered, and how it is
refused tells whether our client was recognised.
"""

from dataclasses import dataclass

from oneself.actions.runtime import Runtime, client_of
from oneself.faults import Fault, FaultCode
from oneself.model import Project
from oneself.upstream import discovery
from oneself.upstream.client import Client
from oneself.upstream.tokens import exchange_code

# No provider gives out such a code.
NO_CODE = "oneself-check-this-is-no-code"


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was tried: whether it is right (None: it cannot be told), and what to do where it is not."""

    name: str
    ok: bool | None
    words: str


async def trials(rt: Runtime, project: Project, config_id: str, callback_url: str) -> list[Trial]:
    """Try one provider of a project: its settings, what its issuer publishes, and whether the token endpoint knows us.

    `callback_url` is the one that is registered there. Raises Fault(PROVIDER_NOT_CONFIGURED), Fault(PROVIDER_UNKNOWN).
    """
    done: list[Trial] = []
    credentials, client = await client_of(rt, project, config_id)
    if credentials.shared:
        done.append(Trial("client", True, "the server's shared one"))
    elif not client.client_id:
        return [Trial("client", False, "No client_id is set. Copy it from the provider's page of your application.")]
    try:
        client = await discovery.complete(rt.outbound, client)
        if client.endpoints.get("discovery"):
            done.append(Trial("discovery", True, f"{client.issuer} publishes itself under that very name"))
        if client.id_token is not None:
            published = await discovery.keys(rt.outbound, client)
            done.append(_keys(len(published.get("keys") or ())))
    except Fault as fault:
        return [*done, _discovery(client, fault)]
    return [*done, await _token(rt, client, callback_url)]


def _keys(count: int) -> Trial:
    if count:
        return Trial("keys", True, f"{count} to check id_tokens with")
    return Trial("keys", False, "The key set is empty, so no id_token can be checked. Is the jwks address right?")


def _discovery(client: Client, fault: Fault) -> Trial:
    where = client.endpoints.get("discovery") or client.endpoints.get("jwks") or "the provider"
    if fault.code is FaultCode.PROVIDER_UNAVAILABLE:
        why = f"{where} does not answer ({fault.detail}). Is the address right, and may this machine reach it?"
    elif fault.code is FaultCode.PROVIDER_MISCONFIGURED:
        why = f"{where}: {fault.detail}. Set `issuer` to the text that stands in the metadata, slash for slash."
    else:
        why = f"{where} answers something else ({fault.detail}). Is it the address of an issuer?"
    return Trial("discovery", False, why)


async def _token(rt: Runtime, client: Client, callback_url: str) -> Trial:
    try:
        await exchange_code(rt.outbound, client, NO_CODE, callback_url, NO_CODE.ljust(43, "0"))
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
    if fault.code is not FaultCode.PROVIDER_MISCONFIGURED:
        return Trial("credentials", None, f"{name} answers in a way that tells nothing {said}.")
    if "redirect_uri" in fault.detail:
        words = f"{name} does not know the redirect URI {said}. Register those of `oneself provider show`."
        return Trial("credentials", False, words)
    if "unsupported_grant_type" in fault.detail or "unauthorized_client" in fault.detail:
        words = f"{name} does not let this client use codes {said}. Make it a web application there."
        return Trial("credentials", False, words)
    what = "the key, key_id and team_id" if client.provider.signed_secret else "client_id and client_secret"
    return Trial(
        "credentials",
        False,
        f"{name} refused our client {said}. Copy {what} from the provider's page again; a secret that was replaced "
        "there no longer works.",
    )
