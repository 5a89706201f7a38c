"""A real headless Chromium for trips through a browser, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from playwright.async_api import Browser as Browser
from playwright.async_api import Page as Page
from playwright.async_api import async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
# A browser that keeps to this machine: without these it calls its maker's hosts at every start.
FLAGS = (
    "--no-sandbox",  # the tests may run as root, where Chromium's sandbox refuses to start
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--no-pings",
)
TIMEOUT_MILLISECONDS = 20_000


class ChromiumMissing(RuntimeError):
    """There is no Chromium on this machine; says what to install."""


def find() -> str:
    """The path of the machine's Chromium; raises ChromiumMissing when there is none."""
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    raise ChromiumMissing("Chromium is missing: install the package 'chromium'")


@asynccontextmanager
async def launched(hosts: Mapping[str, str] | None = None, trusted_key: str = "") -> AsyncIterator[Browser]:
    """Start Chromium with an empty profile and close it in the end.

    `hosts` maps what a page calls a host to where it really is, as in
    {"app.test:443": "127.0.0.1:8443"}. `trusted_key` is the SHA-256, in base64, of the public key of an authority that
    this browser trusts.
    """
    flags = list(FLAGS)
    if trusted_key:
        flags.append(f"--ignore-certificate-errors-spki-list={trusted_key}")
    if hosts:
        rules = ",".join(f"MAP {host} {address}" for host, address in hosts.items())
        flags.append(f"--host-resolver-rules={rules}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find(), args=flags)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def new_page(browser: Browser, *, ignore_https_errors: bool = False) -> AsyncIterator[Page]:
    """A page with cookies of its own: one more person at one more machine."""
    context = await browser.new_context(ignore_https_errors=ignore_https_errors)
    context.set_default_timeout(TIMEOUT_MILLISECONDS)
    try:
        yield await context.new_page()
    finally:
        await context.close()
