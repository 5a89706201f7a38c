"""Which URLs of an application a browser may be sent to, asked of a project's allow-lists."""

from typing import Literal

from oneself.faults import Fault, FaultCode
from oneself.model import Project
from oneself.rules import redirects
from oneself.rules.urls import parse


def chosen_url(project: Project, url: str, which: Literal["login", "signup"]) -> str:
    """The URL itself where the project's list has it for that purpose, or the list's default where none is given.

    Raises Fault(REDIRECT_INVALID), Fault(REDIRECT_NOT_ALLOWED) or Fault(REDIRECT_NOT_SET), with the fact `which`.
    """
    registered = [entry for entry in project.config.redirect_urls if getattr(entry, which)]
    if not registered:
        raise Fault(FaultCode.REDIRECT_NOT_SET, "the project registers none", which=which, any_set=False)
    if not url:
        default = next((entry.url for entry in registered if entry.default), None)
        if default is None:
            raise Fault(FaultCode.REDIRECT_NOT_SET, "the project has no default", which=which, any_set=True)
        return default
    texts = [entry.url for entry in registered]
    if redirects.is_spelled(url, texts):
        return url
    try:
        parsed = parse(url)
    except Fault:
        raise Fault(FaultCode.REDIRECT_INVALID, "not an absolute URL", which=which) from None
    if not redirects.is_registered(parsed, texts):
        raise Fault(FaultCode.REDIRECT_NOT_ALLOWED, "not in the project's list", which=which)
    return url


def is_trusted(project: Project, url: str) -> bool:
    """Whether a URL lies on one of the project's trusted domains; what is no URL does not."""
    try:
        parsed = parse(url)
    except Fault:
        return False
    config = project.config
    domains = (domain.base_url for domain in config.trusted_domains)
    return redirects.is_trusted(parsed, domains, allow_localhost=config.allow_localhost)


def with_query(url: str, pairs: list[tuple[str, str]]) -> str:
    """The URL with parameters appended to its query. Raises Fault(REDIRECT_INVALID) for what is no clean URL."""
    return redirects.with_query(url, pairs)


def code_link(project: Project, url: str, code: str) -> str:
    """Where a letter's button leads: the application's URL with the code in its query.

    Raises Fault(REDIRECT_NOT_ALLOWED) for a URL that is on none of the project's trusted domains, and for the scheme of
    apps, which no mail reader follows.
    """
    if not is_trusted(project, url) or not url.lower().startswith("http"):
        raise Fault(FaultCode.REDIRECT_NOT_ALLOWED, "not a trusted domain", which="callback")
    return redirects.with_query(url, [("code", code)])
