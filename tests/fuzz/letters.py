"""The letters that a server wrote and could not send, opened with its own master key: what honest people read."""

from __future__ import annotations

import os
from urllib.parse import parse_qs, urlsplit

from oneself.crypto.seal import DataKey, KeyRing
from oneself.model import Letter
from oneself.steps import mailing
from oneself.store.outbox import Waiting
from tests.fuzz.ground import Ground

_COLUMNS = "project_id, id, user_id, kind, sealed, attempts, next_at, sent_at, created_at, expires_at"


class Mailbox:
    """Everybody's mail of one project."""

    def __init__(self, ground: Ground, ring: str, project_id: str) -> None:
        self._ground = ground
        self._ring = KeyRing.parse(ring, os.urandom)
        self._project_id = project_id

    def letter(self, to: str) -> Letter:
        """The newest letter to somebody."""
        rows = self._ground.run(
            f"SELECT {_COLUMNS} FROM outbox WHERE project_id = '{self._project_id}' ORDER BY created_at DESC LIMIT 20"
        )
        key = self._key()
        letters = [mailing.unseal(key, Waiting(*row)) for row in rows]
        return next(one for one in letters if one.to == to)

    def code(self, to: str) -> str:
        """The code of the newest letter to somebody."""
        return parse_qs(urlsplit(self.letter(to).link).query)["code"][0]

    def _key(self) -> DataKey:
        sql = f"SELECT id, wrapped FROM data_keys WHERE project_id = '{self._project_id}'"
        key_id, wrapped = self._ground.run(sql)[0]
        return DataKey(key_id, self._ring.unwrap(bytes(wrapped), self._project_id, key_id), os.urandom)
