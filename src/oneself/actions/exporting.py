"""Export a project's users with what belongs to them, page by page, oldest first."""

from collections.abc import AsyncIterator

from oneself.actions.runtime import Runtime
from oneself.crypto.seal import DataKey
from oneself.model import (
    AccountRecord,
    EmailRecord,
    PhoneRecord,
    Project,
    TokenSet,
    TransferFormat,
    UserRecord,
    UserView,
)
from oneself.steps import tokens as sealing
from oneself.steps.recording import Deed, record
from oneself.store import users as user_rows
from oneself.store import vault, views
from oneself.store.database import Tx

PAGE = 500


async def count(rt: Runtime, project: Project) -> int:
    """How many users there are to export."""
    return await user_rows.count(rt.db, project.id)


async def users(
    rt: Runtime, project: Project, *, tokens: bool = False, passwords: bool = False
) -> AsyncIterator[UserRecord]:
    """Every user of the project; with `tokens` their provider tokens in clear, with `passwords` their hashes.

    Two statements a page. Who changes meanwhile is in it as before or as after; who is made meanwhile is in it, at the
    end. Raises Fault(SEAL_BROKEN) for tokens that do not open.
    """
    key = await rt.projects.data_key(project.id)
    after = (-1, "")
    while page := await views.page(rt.db, project.id, after, PAGE):
        first, last = page[0].user, page[-1].user
        sets: dict[str, list[TokenSet]] = {}
        if tokens:
            sets = await _opened(rt, project, key, page, (first.created_at, first.id), (last.created_at, last.id))
        for view in page:
            yield _record(view, sets, passwords)
        after = (last.created_at, last.id)


async def note(rt: Runtime, project: Project, target: TransferFormat, what: str) -> None:
    """Write into the project's audit that secrets (`what`) were taken out in clear."""
    deed = Deed(
        action="project.export",
        decision="exported",
        reason=f"{target}_file_with_{what}",
        actor="operator",
        dialect="",
    )

    async def work(tx: Tx) -> None:
        await record(tx, project.id, "", 0, deed, rt.random)

    await rt.db.write(work)


async def _opened(
    rt: Runtime,
    project: Project,
    key: DataKey,
    page: list[UserView],
    first: tuple[int, str],
    last: tuple[int, str],
) -> dict[str, list[TokenSet]]:
    """The live token sets of a page, by account."""
    owners = {account.id: view.user.id for view in page for account in view.accounts}
    found: dict[str, list[TokenSet]] = {}
    for one in await vault.of_span(rt.db, project.id, first, last):
        # an account that was linked since the page was read, and a grant that the provider ended, are left out
        if one.account_id in owners and not one.dead_at:
            place = sealing.Row(project.id, owners[one.account_id], one.account_id, one.scopes)
            found.setdefault(one.account_id, []).append(sealing.unseal(key, place, one.sealed))
    return found


def _record(view: UserView, sets: dict[str, list[TokenSet]], passwords: bool) -> UserRecord:
    user = view.user
    return UserRecord(
        id=user.id,
        external_id=user.external_id,
        status=user.status,
        is_anonymous=user.is_anonymous,
        created_at=user.created_at,
        signed_up_at=user.signed_up_at,
        last_active_at=user.last_active_at,
        display_name=user.display_name,
        first_name=user.first_name,
        middle_name=user.middle_name,
        last_name=user.last_name,
        picture_url=user.picture_url,
        client_metadata=user.client_metadata,
        client_read_only_metadata=user.client_read_only_metadata,
        server_metadata=user.server_metadata,
        password_hash=user.password_hash if passwords else "",
        has_password=bool(user.password_hash),
        # teams are not exported, so neither is which one was selected
        extras={name: value for name, value in user.extras.items() if name != "selected_team_id"},
        emails=tuple(
            EmailRecord(
                id=one.id,
                address=one.address,
                verified=one.verified_at > 0,
                is_primary=one.is_primary,
                claims_sign_in=one.claims_sign_in,
            )
            for one in view.emails
        ),
        phones=tuple(PhoneRecord(id=one.id, number=one.number, verified=one.verified_at > 0) for one in view.phones),
        accounts=tuple(
            AccountRecord(
                id=one.id,
                provider=one.config_id,
                subject=one.subject,
                allow_sign_in=one.allow_sign_in,
                allow_connected_accounts=one.allow_connected_accounts,
                email=one.email,
                picture_url=one.picture_url,
                locale=one.locale,
                tokens=tuple(sets.get(one.id, ())),
            )
            for one in view.accounts
        ),
    )
