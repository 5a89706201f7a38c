"""fastapi-users as its documentation sets it up for production: SQLAlchemy on asyncpg, sessions in the database.

Runs in an environment of its own (requirements.lock). Arguments: port, database URL, the provider's address.
https://fastapi-users.github.io/fastapi-users/latest/configuration/full-example/
"""

import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport
from fastapi_users.authentication.strategy.db import AccessTokenDatabase, DatabaseStrategy
from fastapi_users_db_sqlalchemy import (
    SQLAlchemyBaseOAuthAccountTableUUID,
    SQLAlchemyBaseUserTableUUID,
    SQLAlchemyUserDatabase,
)
from fastapi_users_db_sqlalchemy.access_token import SQLAlchemyAccessTokenDatabase, SQLAlchemyBaseAccessTokenTableUUID
from httpx_oauth.clients.openid import OpenID
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, relationship

PORT, DATABASE, PROVIDER = int(sys.argv[1]), sys.argv[2], sys.argv[3]
SECRET = "a secret of the benchmark, of more than thirty-two bytes"
DAY = 86_400

engine = create_async_engine(DATABASE.replace("postgresql://", "postgresql+asyncpg://"), pool_size=6, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The tables."""


class OAuthAccount(SQLAlchemyBaseOAuthAccountTableUUID, Base):
    """An outside account."""


class User(SQLAlchemyBaseUserTableUUID, Base):
    """A user with outside accounts."""

    oauth_accounts: Mapped[list[OAuthAccount]] = relationship("OAuthAccount", lazy="joined")


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    """A session."""


class UserRead(schemas.BaseUser[uuid.UUID]):
    """What is shown of a user."""


class UserManager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    """The library's rules as they come."""

    reset_password_token_secret = SECRET
    verification_token_secret = SECRET


async def session() -> AsyncIterator[AsyncSession]:
    """One database session for each request."""
    async with sessions() as opened:
        yield opened


async def user_database(opened: Annotated[AsyncSession, Depends(session)]) -> SQLAlchemyUserDatabase[User, uuid.UUID]:
    """Users and their outside accounts."""
    return SQLAlchemyUserDatabase(opened, User, OAuthAccount)


async def token_database(
    opened: Annotated[AsyncSession, Depends(session)],
) -> SQLAlchemyAccessTokenDatabase[AccessToken]:
    """Sessions."""
    return SQLAlchemyAccessTokenDatabase(opened, AccessToken)


async def manager(
    database: Annotated[SQLAlchemyUserDatabase[User, uuid.UUID], Depends(user_database)],
) -> UserManager:
    """The library's rules over the database."""
    return UserManager(database)


def strategy(
    database: Annotated[AccessTokenDatabase[AccessToken], Depends(token_database)],
) -> DatabaseStrategy[User, uuid.UUID, AccessToken]:
    """Sessions of a day, looked up in the database."""
    return DatabaseStrategy(database, lifetime_seconds=DAY)


backend = AuthenticationBackend(name="db", transport=BearerTransport(tokenUrl="login"), get_strategy=strategy)
users = FastAPIUsers[User, uuid.UUID](manager, [backend])


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Make the tables, then serve."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield


app = FastAPI(lifespan=lifespan)
client = OpenID("benchmark", "benchmark-secret", f"{PROVIDER}/google/.well-known/openid-configuration")
oauth = users.get_oauth_router(client, backend, SECRET, is_verified_by_default=True)
app.include_router(oauth, prefix="/auth/provider")
app.include_router(users.get_users_router(UserRead, UserRead), prefix="/users")

if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=PORT, access_log=False, log_level="warning", http="httptools", loop="uvloop"
    )
