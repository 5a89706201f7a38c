"""What a handler is given: the face that serves it, and one call with its project and its body."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from oneself.actions.runtime import Runtime
from oneself.model import Project, Secret
from oneself.wire.http import Reply, Request
from oneself.wire.stytch.answers import Answer, UserAnswer
from oneself.wire.stytch.claims import SessionJwts

SDK_PREFIX = "/sdk/"
PAGE_PREFIXES = ("/v1/public/", "/v1/oauth/callback/")


@dataclass(frozen=True, slots=True)
class Face:
    """This dialect on one runtime: what lives as long as the process."""

    rt: Runtime
    jwts: SessionJwts = field(default_factory=SessionJwts)


@dataclass(slots=True)
class Call:
    """One request on its way through a handler.

    `uuid` names the request. `project` is set by the pipeline wherever the route asks for keys;
    `session` is the session token of a browser's call, if it sent one. `body` is the decoded body
    of the route's kind.
    """

    face: Face
    request: Request
    uuid: str
    operation: str = ""
    body: Any = None
    session: Secret | None = None
    _project: Project | None = None

    @property
    def from_sdk(self) -> bool:
        """Whether the browser SDK calls, whose answers are wrapped and readable across origins."""
        return self.request.path.startswith(SDK_PREFIX)

    @property
    def shows_pages(self) -> bool:
        """Whether a person's browser may be navigating here."""
        return self.request.path.startswith(PAGE_PREFIXES)

    @property
    def rt(self) -> Runtime:
        """The runtime that actions take first."""
        return self.face.rt

    @property
    def project(self) -> Project:
        """The project whose keys the call carries."""
        assert self._project is not None  # the pipeline lets no handler run before
        return self._project

    @property
    def has_project(self) -> bool:
        """Whether the keys of the call have been recognised."""
        return self._project is not None

    def belongs_to(self, project: Project) -> None:
        """Note the project that the call is for."""
        self._project = project

    @property
    def environment(self) -> str:
        """The environment that the request id names: the project's, once it is known."""
        return self._project.environment if self._project is not None else "test"


Handler = Callable[[Call], Awaitable[Answer | UserAnswer | Reply]]
