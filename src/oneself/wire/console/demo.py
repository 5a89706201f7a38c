"""The small application of the development page: sign in, link, unlink, sign out, each with its reason shown.

It stands where any application would: it keeps a session in a cookie, sends browsers out, and redeems
what they bring back. Its dialect is `console`, whose policy asks for a live session to finish a link.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from oneself.actions import accounts, callback, history, projects, redeem, sessions, start
from oneself.actions.runtime import Runtime
from oneself.actions.sessions import SessionView, SessionWish
from oneself.faults import Fault, FaultCode
from oneself.model import Project, Secret, SessionRef
from oneself.wire.console import cookies, words
from oneself.wire.console.dev import DevPage
from oneself.wire.console.render import page, person, redirect, story
from oneself.wire.http import Reply, Request

DIALECT: Final = "console"
_SECOND = 1_000_000
_STORY_ENTRIES = 30
# what a provider's form may say; the rest is dropped
_ANSWERS = frozenset({"code", "state", "error", "error_description", "iss", "user", "id_token"})


@dataclass(frozen=True, slots=True)
class Demo:
    """The handlers of the development page; each takes a request and gives a reply."""

    rt: Runtime
    dev: DevPage

    async def home(self, request: Request) -> Reply:
        """`GET /`: who is signed in, what is linked and why; or the buttons to sign in.

        Under any other name than the server's own it only points there: the page shows keys, and a foreign name
        that leads to this machine (DNS rebinding) must not be able to read them.
        """
        if request.header("host") != self.rt.settings.base_url.partition("://")[2]:
            return redirect(f"{self.rt.settings.base_url}/")
        project = await self._project()
        current = await self._current(request, project)
        token = cookies.form_token(request, self._secure)
        fresh: tuple[str, ...] = ()
        if not token:
            token, line = cookies.new_form_token(self.rt.random, self._secure)
            fresh = (line,)
        entries = await self._story(project, current)
        return page(
            "dev.html",
            cookies=fresh,
            form_token=token,
            notice=_notice(request.query),
            person=person(current.view, self._labels) if current else None,
            story=entries,
            providers=[{"config_id": one.value, "label": one.label} for one in self.dev.providers],
            project_name=self.dev.project_name,
            keys=self.dev.keys,
            snippets=self.dev.snippets,
            trust=self.dev.trust,
            links=[{"url": one.value, "label": one.label} for one in self.dev.links],
        )

    async def begin(self, request: Request) -> Reply:
        """`POST /console/start`: send the browser to a provider, to sign in or to link."""
        form = self._form(request)
        project = await self._project()
        current = await self._current(request, project)
        attaching = form.get("intent") == "attach"
        if attaching and current is None:
            raise Fault(FaultCode.SESSION_NOT_FOUND, "linking asks for a session")
        config_id = form.get("provider", "")
        home = f"{self.rt.settings.base_url}/"
        started = await start.begin(
            self.rt,
            project,
            start.StartRequest(
                dialect=DIALECT,
                peer=request.peer,
                config_id=config_id,
                callback_url=f"{self.rt.settings.base_url}{cookies.CALLBACK_PATH}/{config_id}",
                intent="attach" if attaching else "sign_in",
                asker_session_id=current.session.id if attaching and current else "",
                login_url=home,
                signup_url=home,
            ),
        )
        trip = cookies.keep_trip(started.state, started.cookie, started.max_age, self._secure)
        return redirect(started.location, (trip,))

    async def finish(self, request: Request) -> Reply:
        """`GET /console/callback/{config_id}`: redeem what the provider proved, and keep the session."""
        project = await self._project()
        params = request.query
        state = params.get("state", "")
        landing = await callback.finish(
            self.rt,
            callback.CallbackRequest(
                dialect=DIALECT,
                state=state,
                params=params,
                cookie=cookies.trip_value(request, state, self._secure),
                config_id=request.params["config_id"],
            ),
        )
        over = cookies.keep_trip(state, "", 0, self._secure)
        if landing.fault is not None:
            return _home_with(("refused", landing.fault.code.value), (over,))
        token = cookies.session_token(request, self._secure)
        try:
            ended = await redeem.redeem(
                self.rt,
                project,
                redeem.RedeemRequest(
                    dialect=DIALECT,
                    grant=Secret(landing.grant),
                    join=SessionRef(token=Secret(token)) if token else None,
                    session=SessionWish(
                        kind=DIALECT,
                        lifetime=self.dev.session_seconds * _SECOND,
                        ip_address=request.peer,
                        user_agent=request.header("user-agent")[:500],
                    ),
                ),
            )
        except Fault as fault:
            return _home_with(("refused", fault.code.value), (over,))
        kept: tuple[str, ...] = (over,)
        if ended.session_token is not None:
            clear = ended.session_token.reveal()
            kept = (over, cookies.keep_session(clear, self.dev.session_seconds, self._secure))
        return _home_with(("notice", _happened(ended)), kept)

    async def relay(self, request: Request) -> Reply:
        """`POST /console/callback/{config_id}`: a provider that answers by form; once more, by GET.

        The form comes across sites, so the browser sends no cookie with it (OAuth 2.0 Form Post Response Mode).
        """
        form = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        answer = urlencode([(name, value) for name, value in form if name in _ANSWERS])
        return redirect(f"{cookies.CALLBACK_PATH}/{quote(request.params['config_id'], safe='')}?{answer}")

    async def unlink(self, request: Request) -> Reply:
        """`POST /console/unlink`: take one account away, unless it is the last way in."""
        form = self._form(request)
        project = await self._project()
        current = await self._current(request, project)
        if current is None:
            raise Fault(FaultCode.SESSION_NOT_FOUND, "unlinking asks for a session")
        user_id = current.view.user.id
        await accounts.remove(self.rt, project, form.get("account", ""), user_id, DIALECT, "self")
        # a session that rested on that account alone has ended with it
        still = await self._current(request, project)
        return _home_with(("notice", "unlinked" if still else "unlinked-and-out"))

    async def sign_out(self, request: Request) -> Reply:
        """`POST /console/sign-out`: end the session."""
        self._form(request)
        project = await self._project()
        current = await self._current(request, project)
        if current is not None:
            await sessions.revoke(self.rt, project, DIALECT, SessionRef(session_id=current.session.id))
        return _home_with(("notice", "signed-out"), (cookies.keep_session("", 0, self._secure),))

    @property
    def _secure(self) -> bool:
        return self.rt.settings.secure

    @property
    def _labels(self) -> dict[str, str]:
        return {one.value: one.label for one in self.dev.providers}

    async def _project(self) -> Project:
        project = await projects.by_id(self.rt, self.dev.project_id)
        if project is None:
            raise Fault(FaultCode.PROJECT_UNKNOWN, "the development project is gone")
        return project

    async def _current(self, request: Request, project: Project) -> SessionView | None:
        token = cookies.session_token(request, self._secure)
        if not token:
            return None
        try:
            return await sessions.authenticate(self.rt, project, DIALECT, SessionRef(token=Secret(token)))
        except Fault as fault:
            if fault.code is FaultCode.SESSION_NOT_FOUND:
                return None
            raise

    async def _story(self, project: Project, current: SessionView | None) -> list[dict[str, str]]:
        if current is None:
            return []
        entries = await history.of_user(self.rt, project, current.view.user.id, _STORY_ENTRIES)
        return story(entries, current.view, self._labels)

    def _form(self, request: Request) -> dict[str, str]:
        """The form of a page of ours. Raises Fault(REQUEST_INVALID) for one from anywhere else."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        if not cookies.is_our_form(request, form.get("form_token", ""), self.rt.settings.base_url, self._secure):
            raise Fault(FaultCode.REQUEST_INVALID, "the form is not from this browser's page")
        return form


def _happened(ended: redeem.Redeemed) -> str:
    if ended.created:
        return "created"
    return "linked" if ended.trip.intent == "attach" else "signed-in"


def _home_with(said: tuple[str, str], kept: tuple[str, ...] = ()) -> Reply:
    return redirect(f"/?{urlencode([said])}", kept)


def _notice(query: dict[str, str]) -> dict[str, str] | None:
    """The message that the address asks for: only words of ours, by name."""
    if query.get("notice") in words.NOTICES:
        return {"kind": "good", "text": words.NOTICES[query["notice"]]}
    refused = next((code for code in FaultCode if code.value == query.get("refused")), None)
    return {"kind": "bad", "text": words.refusal(refused)} if refused else None
