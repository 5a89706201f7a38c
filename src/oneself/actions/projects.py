"""Projects: find one by any of its names, check its keys, make it, declare it from a file, change it."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from oneself.actions.runtime import Runtime
from oneself.crypto import opaque
from oneself.crypto.ids import new_uuid
from oneself.crypto.seal import new_data_key
from oneself.faults import Fault, FaultCode
from oneself.model import KeyKind, Noun, Project, ProjectConfig, ProjectKey, ProviderCredentials
from oneself.providers import registry
from oneself.rules.keys import is_live
from oneself.store import projects as store
from oneself.store.database import Tx
from oneself.store.retrying import Again

# Servers that start together declare the same project: whoever was overtaken looks again at what there is by now.
_OVERTAKEN = (FaultCode.REQUEST_INVALID, FaultCode.DATABASE_CONTENDED)
_LOOKS = 4


class Keys(Noun, frozen=True, kw_only=True):
    """Keys in clear, as they are given out once or declared in a file; empty where there is none."""

    stytch_secret: str = ""
    stack_client: str = ""
    stack_server: str = ""
    stack_admin: str = ""

    def by_kind(self) -> dict[KeyKind, str]:
        """The keys that are there, by kind."""
        pairs: tuple[tuple[KeyKind, str], ...] = (
            ("stytch_secret", self.stytch_secret),
            ("stack_client", self.stack_client),
            ("stack_server", self.stack_server),
            ("stack_admin", self.stack_admin),
        )
        return {kind: secret for kind, secret in pairs if secret}

    def __repr__(self) -> str:
        return "Keys(...)"


class DeclaredProvider(Noun, frozen=True, kw_only=True):
    """Provider credentials with the client secret in clear, on its way to a seal."""

    credentials: ProviderCredentials
    client_secret: str = ""

    def __repr__(self) -> str:
        return f"DeclaredProvider({self.credentials.config_id!r})"


class Declaration(Noun, frozen=True, kw_only=True):
    """A project as somebody wants it: empty ids and keys are made, given ones are kept as they are.

    `config.providers` is ignored; `providers` holds them with their secrets.
    """

    display_name: str
    environment: Literal["test", "live"] = "test"
    id: str = ""
    stytch_id: str = ""
    stytch_public_token: str = ""
    stytch_callback_id: str = ""
    stack_id: str = ""
    owner_team_id: str = ""
    keys: Keys = Keys()
    make_keys: bool = True
    providers: tuple[DeclaredProvider, ...] = ()
    config: ProjectConfig = ProjectConfig()


class CreatedProject(Noun, frozen=True, kw_only=True):
    """A project and the keys that were made with it, in clear, for this once."""

    project: Project
    keys: Keys


async def by_id(rt: Runtime, project_id: str) -> Project | None:
    """The project with this id of ours."""
    return await rt.projects.by(store.BY_ID, project_id)


async def by_stytch_id(rt: Runtime, stytch_id: str) -> Project | None:
    """The project that Stytch's dialect calls so."""
    return await rt.projects.by(store.BY_STYTCH_ID, stytch_id)


async def by_public_token(rt: Runtime, token: str) -> Project | None:
    """The project of a public token."""
    return await rt.projects.by(store.BY_PUBLIC_TOKEN, token)


async def by_callback_id(rt: Runtime, callback_id: str) -> Project | None:
    """The project of an OAuth callback id."""
    return await rt.projects.by(store.BY_CALLBACK_ID, callback_id)


async def by_stack_id(rt: Runtime, stack_id: str) -> Project | None:
    """The project that Stack's dialect calls so."""
    return await rt.projects.by(store.BY_STACK_ID, stack_id)


async def list_all(rt: Runtime) -> list[Project]:
    """Every project, oldest first, without keys."""
    return await store.all_projects(rt.db)


async def owned_by(rt: Runtime, owners: Project, user_id: str) -> list[Project]:
    """The projects that belong to teams of this user of the project `owners`, oldest first, without keys."""
    return await store.owned_by(rt.db, owners.id, user_id)


def is_provider(name: str) -> bool:
    """Whether a provider of that name is known here."""
    return registry.find(name) is not None


def matching_key(rt: Runtime, project: Project, kind: KeyKind, secret: str) -> ProjectKey | None:
    """The live key of that kind that `secret` is, or None; costs no statement."""
    if not secret:
        return None
    wanted = key_hash(kind, secret)
    now = rt.clock()
    for key in project.keys:
        if key.kind == kind and is_live(key, now) and opaque.equal(key.hash, wanted):
            return key
    return None


def key_matches(rt: Runtime, project: Project, kind: KeyKind, secret: str) -> bool:
    """Whether `secret` is a live key of that kind."""
    return matching_key(rt, project, kind, secret) is not None


def key_hash(kind: KeyKind, secret: str) -> bytes:
    """What is stored of a key."""
    return opaque.secret_hash(f"key:{kind}", secret)


async def create(rt: Runtime, wanted: Declaration) -> CreatedProject:
    """Make a project with its data key and, unless told otherwise, a full set of keys; one transaction.

    Raises Fault(REQUEST_INVALID) where an id is taken.
    """
    project_id = wanted.id or new_uuid(rt.random)
    env = wanted.environment
    data_key_id = new_uuid(rt.random)
    data_key = new_data_key(rt.random)
    keys = _made_keys(rt, wanted) if wanted.make_keys else wanted.keys
    now = rt.clock()
    project = Project(
        id=project_id,
        display_name=wanted.display_name,
        environment=env,
        stytch_id=wanted.stytch_id or f"project-{env}-{project_id}",
        stytch_public_token=wanted.stytch_public_token or opaque.public_token(env, rt.random),
        stytch_callback_id=wanted.stytch_callback_id or f"oauth-callback-{env}-{new_uuid(rt.random)}",
        stack_id=wanted.stack_id or project_id,
        owner_team_id=wanted.owner_team_id,
        version=1,
        created_at=now,
        config=wanted.config,
    )
    wrapped = rt.ring.wrap(data_key, project_id, data_key_id)

    async def work(tx: Tx) -> bool:
        if await _taken(tx, project):
            return False
        await store.insert(tx, project)
        await store.insert_data_key(tx, project_id, data_key_id, wrapped)
        await _insert_keys(rt, tx, project_id, keys, "declared")
        return True

    if not await rt.db.write(work):
        raise Fault(FaultCode.REQUEST_INVALID, "a project with one of these ids exists already")
    stored = await _existing(rt, project_id)
    if wanted.providers:
        sealed = await _sealed(rt, project_id, wanted.providers)
        stored = await change_config(rt, stored, lambda config: msgspec.structs.replace(config, providers=sealed))
    return CreatedProject(project=stored, keys=keys)


async def declare(rt: Runtime, wanted: Declaration) -> Project:
    """Bring a project into the declared state, whether it was there or not; applying it twice changes nothing more.

    Keys that the declaration names are added; others stay. Raises Fault(REQUEST_INVALID) where an id belongs to
    another project.
    """
    for _ in range(_LOOKS - 1):
        try:
            return await _declare(rt, wanted)
        except Fault as fault:
            if fault.code not in _OVERTAKEN:
                raise
    return await _declare(rt, wanted)


async def _declare(rt: Runtime, wanted: Declaration) -> Project:
    found = await store.find(rt.db, store.BY_ID, wanted.id) if wanted.id else None
    if found is None:
        return (await create(rt, wanted)).project
    providers = await _sealed(rt, found.id, wanted.providers, {p.config_id: p for p in found.config.providers})
    config = msgspec.structs.replace(wanted.config, providers=providers)
    declared = msgspec.structs.replace(
        found,
        display_name=wanted.display_name,
        environment=wanted.environment,
        stytch_id=wanted.stytch_id or found.stytch_id,
        stytch_public_token=wanted.stytch_public_token or found.stytch_public_token,
        stytch_callback_id=wanted.stytch_callback_id or found.stytch_callback_id,
        stack_id=wanted.stack_id or found.stack_id,
        owner_team_id=wanted.owner_team_id or found.owner_team_id,
        config=config,
    )
    new_keys = {key_hash(kind, secret) for kind, secret in wanted.keys.by_kind().items()}
    if declared == found and new_keys <= {key.hash for key in found.keys}:
        return found

    async def work(tx: Tx) -> None:
        if await store.update(tx, declared) is None:
            raise Again("the project moved meanwhile")
        await _insert_keys(rt, tx, found.id, wanted.keys, "declared")

    await rt.db.write(work)
    rt.projects.forget(found.id)
    return await _existing(rt, found.id)


async def change_config(rt: Runtime, project: Project, change: Callable[[ProjectConfig], ProjectConfig]) -> Project:
    """Change a project's configuration from what it is now, atomically; gives the project as it became."""

    async def work(tx: Tx) -> None:
        current = await store.find(tx, store.BY_ID, project.id)
        if current is None:
            raise Fault(FaultCode.PROJECT_UNKNOWN, "the project was deleted")
        changed = msgspec.structs.replace(current, config=change(current.config))
        if await store.update(tx, changed) is None:
            raise Again("the project moved meanwhile")

    await rt.db.write(work)
    rt.projects.forget(project.id)
    return await _existing(rt, project.id)


async def rename(rt: Runtime, project: Project, display_name: str) -> Project:
    """Give a project another name for people."""

    async def work(tx: Tx) -> None:
        current = await store.find(tx, store.BY_ID, project.id)
        if current is None:
            raise Fault(FaultCode.PROJECT_UNKNOWN, "the project was deleted")
        if await store.update(tx, msgspec.structs.replace(current, display_name=display_name)) is None:
            raise Again("the project moved meanwhile")

    await rt.db.write(work)
    rt.projects.forget(project.id)
    return await _existing(rt, project.id)


async def delete(rt: Runtime, project: Project) -> None:
    """Remove a project with everything in it; its data key goes too, so what it sealed stays sealed for ever."""

    async def work(tx: Tx) -> bool:
        return await store.delete(tx, project.id)

    await rt.db.write(work)
    rt.projects.forget(project.id)


async def seal_client_secret(rt: Runtime, project_id: str, config_id: str, secret: str) -> bytes:
    """A client secret sealed for its place in the project's configuration."""
    key = await rt.projects.data_key(project_id)
    return key.seal(secret.encode(), project_id, config_id, "client_secret")


async def open_client_secret(rt: Runtime, project: Project, config_id: str) -> str:
    """The client secret of one of a project's providers in clear, for its administrator; empty where there is none."""
    for credentials in project.config.providers:
        if credentials.config_id == config_id and credentials.client_secret:
            return await open_sealed(rt, project, config_id, credentials.client_secret)
    return ""


async def open_sealed(rt: Runtime, project: Project, name: str, sealed: bytes) -> str:
    """What `seal_client_secret` sealed under that name, in clear."""
    key = await rt.projects.data_key(project.id)
    return key.open(sealed, project.id, name, "client_secret").decode()


async def add_keys(
    rt: Runtime, project: Project, kinds: tuple[KeyKind, ...], description: str, expires_at: int
) -> tuple[str, Keys]:
    """Make a set of keys (expiry in microseconds, 0 for never): the set's id and the keys in clear, for this once."""
    made = _made_keys(rt, Declaration(display_name="", environment=project.environment))
    wanted = Keys(**{kind: secret for kind, secret in made.by_kind().items() if kind in kinds})
    set_id = new_uuid(rt.random)

    async def work(tx: Tx) -> None:
        await _insert_keys(rt, tx, project.id, wanted, description, set_id, expires_at)
        await store.touch(tx, project.id)

    await rt.db.write(work)
    rt.projects.forget(project.id)
    return set_id, wanted


async def revoke_keys(rt: Runtime, project: Project, set_id: str) -> bool:
    """Revoke a set of keys: here at once, on other processes within the poll's second. False: none was alive."""

    async def work(tx: Tx) -> bool:
        done = await store.revoke_keys(tx, project.id, set_id)
        await store.touch(tx, project.id)
        return done

    done = await rt.db.write(work)
    rt.projects.forget(project.id)
    return done


async def _existing(rt: Runtime, project_id: str) -> Project:
    project = await by_id(rt, project_id)
    if project is None:
        raise Fault(FaultCode.PROJECT_UNKNOWN, "the project was deleted")
    return project


async def _taken(tx: Tx, project: Project) -> bool:
    names = (
        (store.BY_ID, project.id),
        (store.BY_STYTCH_ID, project.stytch_id),
        (store.BY_PUBLIC_TOKEN, project.stytch_public_token),
        (store.BY_CALLBACK_ID, project.stytch_callback_id),
        (store.BY_STACK_ID, project.stack_id),
    )
    return any([await tx.one(statement, name) for statement, name in names])


def _made_keys(rt: Runtime, wanted: Declaration) -> Keys:
    given = wanted.keys
    return Keys(
        stytch_secret=given.stytch_secret or opaque.stytch_secret(wanted.environment, rt.random),
        stack_client=given.stack_client or opaque.prefixed_key("pck_", rt.random),
        stack_server=given.stack_server or opaque.prefixed_key("ssk_", rt.random),
        stack_admin=given.stack_admin or opaque.prefixed_key("sak_", rt.random),
    )


async def _insert_keys(
    rt: Runtime,
    tx: Tx,
    project_id: str,
    keys: Keys,
    description: str,
    set_id: str = "",
    expires_at: int = 0,
) -> None:
    common: dict[str, Any] = {"set_id": set_id or new_uuid(rt.random), "description": description}
    for kind, secret in keys.by_kind().items():
        key = ProjectKey(
            id=new_uuid(rt.random),
            kind=kind,
            hash=key_hash(kind, secret),
            last_four=secret[-4:],
            created_at=tx.now,
            expires_at=expires_at,
            **common,
        )
        await store.insert_key(tx, project_id, key)


async def _sealed(
    rt: Runtime,
    project_id: str,
    declared: tuple[DeclaredProvider, ...],
    known: dict[str, ProviderCredentials] | None = None,
) -> tuple[ProviderCredentials, ...]:
    """Credentials with their secrets sealed; a secret that is sealed already and unchanged keeps its seal."""
    key = await rt.projects.data_key(project_id)
    sealed = []
    for wanted in declared:
        config_id = wanted.credentials.config_id
        old = (known or {}).get(config_id)
        place = (project_id, config_id, "client_secret")
        if old and old.client_secret and key.open(old.client_secret, *place) == wanted.client_secret.encode():
            secret = old.client_secret
        else:
            secret = key.seal(wanted.client_secret.encode(), *place) if wanted.client_secret else b""
        sealed.append(msgspec.structs.replace(wanted.credentials, client_secret=secret))
    return tuple(sealed)
