"""A server in a process of its own whose projects differ in policy, URLs, keys and environment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from oneself.app.house import EMULATOR_PATH, House
from oneself.cli import dev_keys
from oneself.cli.dev import announcement
from oneself.cli.dev_settings import settings
from oneself.cli.listening import listen, port_of
from oneself.cli.running import run
from oneself.config import Config, DeclaredPolicy, DeclaredProject, DeclaredProvider, SharedProvider, StytchSide
from oneself.config.project import DeclaredRedirect
from oneself.emulator import create_emulator
from oneself.model import Secret
from oneself.wire.console.dev import DevPage
from tests import server_process
from tests.stytch.rig import LOGIN_URL, Rig

SIGNUP_URL = "http://localhost:3000/welcome?from=signup"

MINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "other": {},
    "live": {"environment": "live"},
    "attach_pkce": {"policies": {"stytch": DeclaredPolicy(attach_proof="pkce")}},
    "attach_session": {"policies": {"stytch": DeclaredPolicy(attach_proof="session")}},
    "closed": {"policies": {"stytch": DeclaredPolicy(sign_up=False)}},
    "refusing": {"policies": {"stytch": DeclaredPolicy(email_match="refuse")}},
    "strict": {"policies": {"stytch": DeclaredPolicy(unverified_email="refuse", unverified_owner="refuse")}},
    "no_pkce": {"pkce_required_for_oauth": False},
    "no_urls": {"redirect_urls": ()},
    "no_defaults": {"redirect_urls": (DeclaredRedirect(url=LOGIN_URL),)},
    "two_urls": {
        "redirect_urls": (
            DeclaredRedirect(url=LOGIN_URL, signup=False, default=True),
            DeclaredRedirect(url=SIGNUP_URL, login=False, default=True),
        )
    },
    "no_providers": {"providers": {}},
    "migrating": {"migrate_sessions_from": "oidc"},
    "migrating_other_client": {"migrate_sessions_from": "oidc", "oidc_client_id": "somebody-elses-client"},
    "migrating_strict": {
        "migrate_sessions_from": "google",
        "policies": {"stytch": DeclaredPolicy(unverified_email="refuse", unverified_owner="refuse")},
    },
    "migrating_nowhere": {"migrate_sessions_from": "oidc", "oidc_path": "nowhere"},
    "migrating_away": {"migrate_sessions_from": "oidc", "oidc_path": "google"},
    "login_urls_only": {"redirect_urls": (DeclaredRedirect(url=LOGIN_URL, signup=False, default=True),)},
    "sharing": {"shared_google": True},
    "broken": {},
    "migrating_closed": {"migrate_sessions_from": "oidc", "policies": {"stytch": DeclaredPolicy(sign_up=False)}},
}


def main(folder: Path) -> None:
    """Serve until told to stop; prints one line when ready."""
    sockets = listen("localhost", 0)
    base_url = f"http://localhost:{port_of(sockets)}"
    keys = dev_keys.open_folder(folder)
    base = settings(base_url, folder, keys)
    projects = {name: declared(base, name, wanted) for name, wanted in MINDS.items()}
    own = base.projects[0].providers["google"]
    shared = SharedProvider(client_id=own.client_id, client_secret=own.client_secret, endpoints=own.endpoints)
    config = msgspec.structs.replace(base, projects=tuple(projects.values()), shared_providers={"google": shared})
    page = DevPage(
        project_id=projects["plain"].id,
        project_name="Variants",
        providers=(),
        keys=(),
        links=(),
        snippets=(),
        session_seconds=3600,
    )
    said = dict(announcement(base_url, keys))
    said["projects"] = {
        name: {
            "stytch": {
                "project_id": project.stytch.project_id,
                "secret": project.stytch.secret.reveal(),
                "public_token": project.stytch.public_token,
            }
        }
        for name, project in projects.items()
        if project.stytch is not None
    }
    line = msgspec.json.encode(said).decode()
    emulator = create_emulator(f"{base_url}{EMULATOR_PATH}", accept_any_client=True)
    run(House(config, page, emulator=emulator), config, sockets, lambda: print(line, flush=True))


def declared(base: Config, name: str, wanted: dict[str, Any]) -> DeclaredProject:
    """The dev project under new ids and keys, with what one variant wants otherwise."""
    env = wanted.get("environment", "test")
    side = StytchSide(
        project_id=f"project-{env}-{uuid4()}",
        secret=Secret(f"secret-{env}-{uuid4().hex}"),
        public_token=f"public-token-{env}-{uuid4()}",
    )
    fresh: dict[str, Any] = {"id": str(uuid4()), "display_name": name, "stytch": side, "stack": None}
    template = base.projects[0]
    changes = fresh | wanted
    oidc = template.providers["oidc"]
    oidc = msgspec.structs.replace(
        oidc,
        client_id=changes.pop("oidc_client_id", oidc.client_id),
        issuer=oidc.issuer.removesuffix("oidc") + changes.pop("oidc_path", "oidc"),
    )
    google = DeclaredProvider(shared=True) if changes.pop("shared_google", False) else template.providers["google"]
    # few enough that some known providers are not configured
    few = {each: template.providers[each] for each in ("github", "spotify")}
    changes = {"providers": {**few, "oidc": oidc, "google": google}} | changes
    return msgspec.structs.replace(template, **changes)


@contextmanager
def serving(folder: Path) -> Iterator[dict[str, Rig]]:
    """Run this module as a server; its projects by name."""
    with (folder / "stderr").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.stytch.variants", str(folder / "data")],
            cwd=server_process.ROOT,
            env=server_process.environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "stderr").read_text()
        said = json.loads(line)
        common = {"base_url": said["base_url"], "emulator_url": said["emulator_url"]}
        yield {name: Rig.of(common | {"project": project}) for name, project in said["projects"].items()}
    finally:
        process.terminate()
        process.wait(timeout=15)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
