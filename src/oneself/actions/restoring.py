"""After a backup was put back: make it this server's database again; and prove that one is whole."""

from collections.abc import Callable

from oneself.actions.runtime import Runtime
from oneself.model import Noun, Project
from oneself.rules.lifetimes import FRESH_MARGIN
from oneself.steps import tokens as sealing
from oneself.steps.recording import Deed, record
from oneself.store import projects, restores, vault, views
from oneself.store.database import Tx
from oneself.store.restores import RestoreState, Voided

PAGE = 500


class Restored(Noun, frozen=True, kw_only=True):
    """The epoch that begins, which belongs beside the key ring, and what was taken away."""

    epoch: int
    voided: Voided


class Proof(Noun, frozen=True, kw_only=True):
    """What was read and, where it is sealed, opened: all of it there is."""

    projects: int
    users: int
    accounts: int
    client_secrets: int
    token_sets: int


async def state(rt: Runtime) -> RestoreState:
    """Which epoch the database is of, and whether it is a copy; one statement."""
    return await restores.read(rt.db)


async def finish(rt: Runtime, known_epoch: int, *, end_sessions: bool) -> Restored:
    """Begin a new epoch, above the database's own and the `known_epoch` of the settings; one commit.

    Everything that works once is void: trips, tickets, grants, codes, letters that wait. Grants of providers that may
    have been refreshed since the backup are in doubt: the next refresh asks the provider again where it takes a refresh
    token twice, and says "reconnect needed" once where it does not. Every project's audit tells of it.
    """
    listed = await projects.all_projects(rt.db)

    async def work(tx: Tx) -> Restored:
        epoch = max((await restores.read(tx)).epoch, known_epoch) + 1
        voided = await restores.void(tx, fresh_until=tx.now + FRESH_MARGIN, end_sessions=end_sessions)
        await restores.begin_epoch(tx, epoch)
        deed = Deed(action="server.restore", decision="restored", reason=f"epoch_{epoch}", actor="operator", dialect="")
        for project in listed:
            await record(tx, project.id, "", 0, deed, rt.random)
        return Restored(epoch=epoch, voided=voided)

    return await rt.db.write(work)


async def prove(rt: Runtime, told: Callable[[int], None] = lambda _: None) -> Proof:
    """Read every user with all that belongs to it, and open everything that is sealed in it.

    `told` hears how many users were read. Raises Fault(SEAL_BROKEN), Fault(MASTER_KEY_MISSING) where something does not
    open.
    """
    counts = {"users": 0, "accounts": 0, "client_secrets": 0, "token_sets": 0}
    listed = await projects.all_projects(rt.db)
    for project in listed:
        counts["client_secrets"] += await _client_secrets(rt, project)
        after = (-1, "")
        while page := await views.page(rt.db, project.id, after, PAGE):
            first, last = page[0].user, page[-1].user
            owners = {account.id: view.user.id for view in page for account in view.accounts}
            counts["users"] += len(page)
            counts["accounts"] += len(owners)
            counts["token_sets"] += await _opened(
                rt, project, owners, (first.created_at, first.id), (last.created_at, last.id)
            )
            told(counts["users"])
            after = (last.created_at, last.id)
    return Proof(projects=len(listed), **counts)


async def _client_secrets(rt: Runtime, project: Project) -> int:
    key = await rt.projects.data_key(project.id)
    sealed = [one for one in project.config.providers if one.client_secret]
    for one in sealed:
        key.open(one.client_secret, project.id, one.config_id, "client_secret")
    return len(sealed)


async def _opened(
    rt: Runtime, project: Project, owners: dict[str, str], first: tuple[int, str], last: tuple[int, str]
) -> int:
    key = await rt.projects.data_key(project.id)
    opened = 0
    for one in await vault.of_span(rt.db, project.id, first, last):
        if one.account_id in owners:
            place = sealing.Row(project.id, owners[one.account_id], one.account_id, one.scopes)
            sealing.unseal(key, place, one.sealed)
            opened += 1
    return opened
