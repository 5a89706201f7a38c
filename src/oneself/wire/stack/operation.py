"""What an operation of this wire is, beside the route that all faces share, and what its handler is given."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from oneself.actions.runtime import Runtime
from oneself.model import Project
from oneself.wire.http import Handler, Reply, Request, Route, json_reply
from oneself.wire.stack.access import Caller
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.claims import Bearer
from oneself.wire.stack.fields import Empty
from oneself.wire.stack.refusals import plain

API_PREFIXES = ("/api/v1", "/api/latest")

ANYBODY: tuple[str, ...] = ()
CLIENT = ("client", "server", "admin")
SERVER = ("server", "admin")
ADMIN = ("admin",)


@dataclass(frozen=True, slots=True)
class Operation(Route):
    """A route with what this wire knows besides: who may call, and how path, query and body are read.

    `allowed` are the access types (none: anybody). `params` is the shape of the path's segments.
    `client_body` and `client_query` take the place of the wider shapes for client access.
    """

    allowed: tuple[str, ...] = CLIENT
    params: type[msgspec.Struct] | None = None
    client_body: type[msgspec.Struct] | None = None
    client_query: type[msgspec.Struct] | None = None
    # query and body are somebody else's: anything goes, the handler reads it
    loose: bool = False
    # texts that a refusal's words need beside the facts of the fault, made from the call
    facts: Callable[["Call"], dict[str, Any]] | None = None


def operation(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    *,
    allowed: tuple[str, ...] = CLIENT,
    status: int = 200,
    name: str = "",
    **more: Any,
) -> Operation:
    """Describe one operation; its name, unless given, is the handler's module and name."""
    module = handler.__module__.rpartition(".")[2]
    return Operation(
        method=method,
        template=path,
        operation=name or f"{module}_{handler.__name__}",
        handler=handler,
        summary=summary,
        status=status,
        access=allowed[0] if allowed else "public",
        allowed=allowed,
        **more,
    )


def under(prefix: str, described: Operation) -> Operation:
    """The same operation under one of the API's prefixes."""
    return replace(described, template=prefix + described.template)


@dataclass(slots=True)
class Call:
    """One request on its way through: what its handler may look at."""

    rt: Runtime
    request: Request
    operation: Operation
    caller: Caller | None
    params: Any = field(default_factory=Empty)
    body: Any = None
    # the caller stands for itself: a user that is not there is then a caller without a user
    own: bool = False

    @property
    def project(self) -> Project:
        """The project of the caller; only for operations that need an access type."""
        assert self.caller is not None, "the operation lets anybody in"
        return self.caller.project

    @property
    def access(self) -> str:
        """`client`, `server`, `admin`, or nothing."""
        return self.caller.access if self.caller else ""

    @property
    def bearer(self) -> Bearer | None:
        """The user of the request's access token."""
        return self.caller.bearer if self.caller else None

    def own_id(self) -> str:
        """The id that `me` stands for. Raises CANNOT_GET_OWN_USER_WITHOUT_USER."""
        if self.bearer is None:
            raise known("CANNOT_GET_OWN_USER_WITHOUT_USER")
        self.own = True
        return self.bearer.user_id

    def require_user(self) -> Bearer:
        """The user of the token. Raises USER_AUTHENTICATION_REQUIRED."""
        if self.bearer is None:
            raise known("USER_AUTHENTICATION_REQUIRED")
        return self.bearer

    def require_self(self, user_id: str, words: str) -> None:
        """Let client access touch nobody but its own user; `words` are those of the 403."""
        if self.access == "client" and self.own_id() != user_id:
            self.own = False
            raise plain(403, words)


def done(call: Call, value: object, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """The operation's success: its status and a JSON body."""
    return json_reply(call.operation.status, value, headers)


def items(call: Call, values: list[Any]) -> Reply:
    """A whole list, in one page."""
    return done(call, {"items": values, "is_paginated": False})
