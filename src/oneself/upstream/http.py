"""The one outbound HTTP client. What makes its calls loads at the first of them: most commands of the operator's call
nobody.
"""

import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from oneself.later import Later
from oneself.upstream.limits import DEFAULT_LIMITS, Limits, Method
from oneself.upstream.reply import Reply
from oneself.upstream.shelf import Shelf

if TYPE_CHECKING:
    from oneself.upstream.transport import Transport

_TRANSPORT = Later("oneself.upstream.transport", "Transport")


class Outbound:
    """The client for all calls to providers. It opens its connections at the first call, in the
    running loop.

    `allow_hosts` names the hosts (`host` or `host:port`) that the operator allows although they
    have private addresses or speak plain http. `clock` gives microseconds.
    """

    def __init__(
        self,
        allow_hosts: frozenset[str] = frozenset(),
        *,
        clock: Callable[[], int],
        limits: Limits = DEFAULT_LIMITS,
        tls: ssl.SSLContext | None = None,
        user_agent: str = "Oneself",
    ) -> None:
        self.clock = clock
        self.limits = limits
        self.shelf = Shelf(clock)
        self._allow_hosts = allow_hosts
        self._tls = tls
        self._agent = user_agent
        self._transport: Transport | None = None

    async def send(
        self,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Send one request and read its whole answer, whatever its status; 3xx is not followed.

        Raises `provider_misconfigured` for an address that may not be called,
        `provider_unavailable` where no complete answer came in time, with the fact `sent` (False:
        the provider cannot have seen the request), and `provider_reply_invalid` for one that is too
        large or no HTTP.
        """
        return await self._made().send(method, url, headers=headers, form=form, json=json)

    @property
    def standing(self) -> tuple[int, int]:
        """How many calls are under way, and how many wait for a place at their host's gate."""
        return self._transport.standing if self._transport is not None else (0, 0)

    async def close(self) -> None:
        """Close all connections; the next call would open them again."""
        transport, self._transport = self._transport, None
        await self.shelf.close()
        if transport is not None:
            await transport.close()

    def _made(self) -> "Transport":
        if self._transport is None:
            self._transport = _TRANSPORT.get()(self._allow_hosts, self.clock, self.limits, self._tls, self._agent)
        return self._transport
