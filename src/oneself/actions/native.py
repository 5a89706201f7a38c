"""Sign-in on a device: an app got an id_token there, and it is redeemed here at once, from a ticket or from nothing."""

from itertools import count

from oneself.actions.runtime import Runtime, client_of, post_of, provider_name
from oneself.crypto import opaque
from oneself.faults import Fault, FaultCode
from oneself.model import Dialect, Flow, Identity, Noun, Project, ProviderCredentials, Secret, SessionRef, Trip
from oneself.rules.policies import policy_of
from oneself.steps.flow_secrets import ticket_hash
from oneself.steps.redeeming import Redeemed, Redeeming, settle
from oneself.steps.sessions import SessionWish
from oneself.store import flows
from oneself.store.database import Tx
from oneself.upstream import discovery
from oneself.upstream.native import identify_native

# The option of a provider's credentials that names the project's own apps there, with blanks between them: bundle ids
# at Apple, the client ids for iOS and Android at Google.
APPS = "native_client_ids"


class NativeRequest(Noun, frozen=True, kw_only=True):
    """What an app presents. `web_client` says whether a token made for the credentials' own client id counts too;
    `nonce_needed`, whether a token that carries a nonce is refused where the request brings none.

    `ticket` links to the user it was given out for. `session` is the session to open, `join` one that gets the factor.
    """

    dialect: Dialect
    config_id: str
    id_token: Secret
    nonce: Secret | None = None
    nonce_needed: bool = True
    web_client: bool = True
    ticket: Secret | None = None
    session: SessionWish | None = None
    join: SessionRef | None = None
    asks_second_factor: bool = False


async def redeem(rt: Runtime, project: Project, wanted: NativeRequest) -> Redeemed:
    """Check the id_token, then decide and carry out as every redeem does: one commit, nothing of the network in it.

    Raises Fault(PROVIDER_UNKNOWN), Fault(PROVIDER_NOT_CONFIGURED), Fault(PROVIDER_NOT_ENABLED) where sign-in is off,
    Fault(PROVIDER_NOT_NATIVE) where no app is configured, Fault(ID_TOKEN_INVALID), Fault(PROVIDER_UNAVAILABLE),
    Fault(TICKET_INVALID), Fault(ATTACH_PROOF_MISSING), Fault(ASKER_GONE), Fault(SECOND_FACTOR_NEEDED),
    and every refusal of the linking law.
    """
    flow_id = _flow_id(wanted)
    credentials, client = await client_of(rt, project, wanted.config_id)
    if not credentials.allow_sign_in and wanted.ticket is None:
        raise Fault(FaultCode.PROVIDER_NOT_ENABLED, "not for sign-in")
    audiences = frozenset(client.options.get(APPS, "").split()) | ({client.client_id} if wanted.web_client else set())
    if not audiences or client.provider.id_token is None:
        raise Fault(FaultCode.PROVIDER_NOT_NATIVE, "no app of the project is named for this provider")
    identity = await identify_native(
        rt.outbound,
        await discovery.complete(rt.outbound, client),
        wanted.id_token,
        audiences=audiences,
        nonce=wanted.nonce,
        nonce_needed=wanted.nonce_needed,
        now=rt.clock(),
    )
    how = Redeeming(
        project=project,
        key=await rt.projects.data_key(project.id),
        random=rt.random,
        reached=rt.reached,
        session=wanted.session,
        join=wanted.join,
        asks_second_factor=wanted.asks_second_factor,
        post=await post_of(rt, project),
        label=provider_name,
        verb="native",
    )
    tries = count()

    async def transaction(tx: Tx) -> Redeemed | Fault:
        return await _transact(tx, how, wanted, flow_id, credentials, identity, crowded=next(tries) > 0)

    ended = await rt.db.write(transaction)
    if isinstance(ended, Fault):
        raise ended
    return ended


async def _transact(
    tx: Tx,
    how: Redeeming,
    wanted: NativeRequest,
    flow_id: str,
    credentials: ProviderCredentials,
    identity: Identity,
    *,
    crowded: bool,
) -> Redeemed | Fault:
    flow = await _flow(tx, how.project, wanted, flow_id, credentials)
    return await settle(tx, how, flow, credentials, identity, crowded=crowded)


async def _flow(
    tx: Tx, project: Project, wanted: NativeRequest, flow_id: str, credentials: ProviderCredentials
) -> Flow:
    """The reserved flow of the ticket, taken out; without a ticket one that was never stored."""
    if wanted.ticket is not None:
        hashed = ticket_hash(wanted.ticket.reveal())
        taken = await flows.take_reserved(tx, project.id, flow_id, hashed, wanted.dialect, wanted.config_id)
        if taken is None:
            raise Fault(FaultCode.TICKET_INVALID, "spent, expired, or for another provider", "take")
        return taken
    trip = Trip(
        intent="sign_in",
        policy=policy_of(project, wanted.dialect),
        config_id=wanted.config_id,
        provider=credentials.provider,
    )
    return Flow(
        id="",
        project_id=project.id,
        dialect=wanted.dialect,
        kind="identity",
        stage="claimed",
        config_id=wanted.config_id,
        key_id="",
        cookie_bound=False,
        created_at=tx.now,
        expires_at=tx.now,
        trip=trip,
    )


def _flow_id(wanted: NativeRequest) -> str:
    if wanted.ticket is None:
        return ""
    flow_id = opaque.read_ticket(wanted.ticket.reveal())
    if flow_id is None:
        raise Fault(FaultCode.TICKET_INVALID, "not a ticket")
    return flow_id
