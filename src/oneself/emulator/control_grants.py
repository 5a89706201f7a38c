"""The control API's part about grants: tokens that die, and refreshes that are refused."""

from oneself.emulator.answers import Answer
from oneself.emulator.calls import Call
from oneself.emulator.orders import Order, Problem, add_trouble, read
from oneself.emulator.trouble import Trouble
from oneself.emulator.world import Token, World


class _Which(Order, kw_only=True):
    """Tokens by their text, or all of a person, a client, a provider (any of them together)."""

    token: str = ""
    persona: str = ""
    client_id: str = ""


class _RefreshError(Order, kw_only=True):
    error: str = "invalid_grant"
    description: str = ""
    status: int = 0
    times: int = 1


def _matching(tokens: list[Token], which: _Which) -> list[Token]:
    if not (which.token or which.persona or which.client_id or which.provider != "*"):
        raise Problem("name a token, persona, client_id or provider")
    return [
        token
        for token in tokens
        if which.token in ("", token.value)
        and which.persona in ("", token.grant.persona)
        and which.client_id in ("", token.grant.client_id)
        and which.provider in ("*", token.grant.provider)
    ]


async def revoke_access(world: World, call: Call) -> Answer:
    """End access tokens only: the grant and its refresh tokens live on."""
    return _kill(_matching(list(world.access.values()), read(call, _Which)))


async def revoke_refresh(world: World, call: Call) -> Answer:
    """End refresh tokens only: access tokens live until their time."""
    return _kill(_matching(list(world.refresh.values()), read(call, _Which)))


def _kill(tokens: list[Token]) -> Answer:
    for token in tokens:
        token.dead = True
    return Answer(body={"revoked": len(tokens)})


async def revoke_grant(world: World, call: Call) -> Answer:
    """End whole grants, as a person does who removes the app."""
    tokens = [*world.access.values(), *world.refresh.values()]
    found = {id(token.grant): token.grant for token in _matching(tokens, read(call, _Which))}
    for grant in found.values():
        world.revoke(grant)
    return Answer(body={"revoked": len(found)})


async def refresh_error(world: World, call: Call) -> Answer:
    """Let the next refreshes fail by an OAuth error of this name."""
    order = read(call, _RefreshError)
    add_trouble(
        world,
        Trouble(
            kind="oauth_error",
            provider=order.provider,
            grant_type="refresh_token",
            error=order.error,
            description=order.description,
            status=order.status,
            times=order.times,
        ),
    )
    return Answer(body={})
