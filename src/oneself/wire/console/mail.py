"""The letters that a development server wrote: a page for people, and the same as JSON for scripts."""

from dataclasses import dataclass

from oneself.actions import mailing
from oneself.actions.mailing import KeptLetter
from oneself.actions.runtime import Runtime
from oneself.wire.console.render import letters, page, redirect
from oneself.wire.http import Reply, Request, json_reply

PATH = "/mail"
JSON_PATH = "/mail.json"


@dataclass(frozen=True, slots=True)
class MailPages:
    """The handlers of both views; each takes `to`, an address, to show only the letters that went there."""

    rt: Runtime

    async def shown(self, request: Request) -> Reply:
        """`GET /mail`: every letter in words, the newest first, its link to click on."""
        away = self._elsewhere(request, PATH)
        if away is not None:
            return away
        found = await self._found(request)
        return page("mail.html", letters=letters(found), sends=self.rt.mail_server is not None, to=_wanted(request))

    async def listed(self, request: Request) -> Reply:
        """`GET /mail.json`: the same for scripts."""
        away = self._elsewhere(request, JSON_PATH)
        if away is not None:
            return away
        return json_reply(200, {"letters": await self._found(request)}, [("cache-control", "no-store")])

    def _elsewhere(self, request: Request, path: str) -> Reply | None:
        """Letters hold codes: under a name that is not the server's own (DNS rebinding) they are not shown."""
        base_url = self.rt.settings.base_url
        return None if request.header("host") == base_url.partition("://")[2] else redirect(base_url + path)

    async def _found(self, request: Request) -> list[KeptLetter]:
        wanted = _wanted(request).casefold()
        return [letter for letter in await mailing.newest(self.rt) if wanted in ("", letter.to.casefold())]


def _wanted(request: Request) -> str:
    return request.query.get("to", "").strip()
