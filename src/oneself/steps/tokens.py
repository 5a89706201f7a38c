"""Seal provider tokens: parked with a flow, then kept in the vault with the account that they belong to."""

from typing import NamedTuple

import msgspec

from oneself.crypto.seal import DataKey
from oneself.model import Identity, TokenSet
from oneself.rules import scopes
from oneself.store import candidates, vault
from oneself.store.database import Tx
from oneself.store.vault import NewTokens

_IDENTITY = msgspec.msgpack.Decoder(Identity)
_CANDIDATE = "token_candidates.sealed"
_TOKENS = msgspec.msgpack.Decoder(TokenSet)


class Row(NamedTuple):
    """A row of the vault, and whose it is. `scopes` is the set's canonical name, the last part of the row's key."""

    project_id: str
    user_id: str
    account_id: str
    scopes: str


def park(key: DataKey, project_id: str, flow_id: str, identity: Identity) -> bytes:
    """Seal what a provider proved to its flow, until the application comes for it."""
    return key.seal(msgspec.msgpack.encode(identity), project_id, flow_id, "flows.parked")


def unpark(key: DataKey, project_id: str, flow_id: str, parked: bytes) -> Identity:
    """Open what `park` sealed. Raises Fault(SEAL_BROKEN)."""
    return _IDENTITY.decode(key.open(parked, project_id, flow_id, "flows.parked"))


def seal(key: DataKey, place: Row, tokens: TokenSet) -> bytes:
    """Seal a token set to its row in the vault, and to the user whose it is."""
    return key.seal(msgspec.msgpack.encode(tokens), *place, "token_sets.sealed")


def new_tokens(key: DataKey, place: Row, tokens: TokenSet) -> NewTokens:
    """The tokens of a new grant, sealed, as the vault takes them."""
    sealed = seal(key, place, tokens)
    return NewTokens(place.account_id, place.scopes, sealed, bool(tokens.refresh_token), tokens.expires_at)


def unseal(key: DataKey, place: Row, sealed: bytes) -> TokenSet:
    """Open what `seal` sealed. Raises Fault(SEAL_BROKEN) for what lay in another row, be it of the same account."""
    return _TOKENS.decode(key.open(sealed, *place, "token_sets.sealed"))


def seal_candidate(key: DataKey, place: Row, tokens: TokenSet) -> bytes:
    """Seal the tokens of a sign-in that nobody redeemed, to the account that came back."""
    return key.seal(msgspec.msgpack.encode(tokens), *place, _CANDIDATE)


async def candidate(tx: Tx, key: DataKey, place: Row) -> TokenSet | None:
    """Take out the latest tokens of an unredeemed sign-in with at least the scopes of this row; None without any."""
    for held in await candidates.of_account(tx, place.project_id, place.account_id):
        if scopes.covers(held.scopes, place.scopes.split()) and await candidates.take(
            tx, place.project_id, place.account_id, held
        ):
            return _TOKENS.decode(key.open(held.sealed, *place._replace(scopes=held.scopes), _CANDIDATE))
    return None


async def keep(tx: Tx, key: DataKey, project_id: str, user_id: str, account_id: str, tokens: TokenSet) -> None:
    """Put the tokens of a new grant into the vault: one statement, and one more where no refresh token came.

    Some providers hand a refresh token out at the first consent only (Google): a later sign-in that brings none must
    not lose the one that is kept, unless the provider called it dead.
    """
    name = scopes.canonical(tokens.scopes)
    place = Row(project_id, user_id, account_id, name)
    if not tokens.refresh_token:
        old = await vault.one(tx, project_id, account_id, name)
        if old is not None and old.has_refresh_token and not old.dead_at:
            kept = unseal(key, place, old.sealed)
            tokens = msgspec.structs.replace(tokens, refresh_token=kept.refresh_token)
    await vault.put(tx, project_id, new_tokens(key, place, tokens))
