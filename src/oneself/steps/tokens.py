"""Seal provider tokens: parked with a flow, then kept in the vault with the account that they belong to."""

import msgspec

from oneself.crypto.seal import DataKey
from oneself.model import Identity, TokenSet
from oneself.rules import scopes
from oneself.store import vault
from oneself.store.database import Tx

_IDENTITY = msgspec.msgpack.Decoder(Identity)
_TOKENS = msgspec.msgpack.Decoder(TokenSet)


def park(key: DataKey, project_id: str, flow_id: str, identity: Identity) -> bytes:
    """Seal what a provider proved to its flow, until the application comes for it."""
    return key.seal(msgspec.msgpack.encode(identity), project_id, flow_id, "flows.parked")


def unpark(key: DataKey, project_id: str, flow_id: str, parked: bytes) -> Identity:
    """Open what `park` sealed. Raises Fault(SEAL_BROKEN)."""
    return _IDENTITY.decode(key.open(parked, project_id, flow_id, "flows.parked"))


def seal(key: DataKey, project_id: str, user_id: str, account_id: str, tokens: TokenSet) -> bytes:
    """Seal a token set to its user and account."""
    return key.seal(msgspec.msgpack.encode(tokens), project_id, user_id, account_id, "token_sets.sealed")


def unseal(key: DataKey, project_id: str, user_id: str, account_id: str, sealed: bytes) -> TokenSet:
    """Open what `seal` sealed. Raises Fault(SEAL_BROKEN)."""
    return _TOKENS.decode(key.open(sealed, project_id, user_id, account_id, "token_sets.sealed"))


async def keep(tx: Tx, key: DataKey, project_id: str, user_id: str, account_id: str, tokens: TokenSet) -> None:
    """Put the tokens of a new grant into the vault: one statement."""
    sealed = seal(key, project_id, user_id, account_id, tokens)
    name = scopes.canonical(tokens.scopes)
    await vault.put(tx, project_id, account_id, name, sealed, bool(tokens.refresh_token), tokens.expires_at)
