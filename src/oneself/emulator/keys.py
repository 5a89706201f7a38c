"""The keys that sign id_tokens, one ring per provider, and tokens that are wrong on purpose."""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

Alg = Literal["RS256", "ES256"]


@dataclass(slots=True)
class _Key:
    jwk: RSAKey | ECKey
    kid: str
    published: bool


class KeyRings:
    """All signing keys in memory. RSA keys are made in a thread, at first use: it takes a while."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._rings: dict[str, list[_Key]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def jwks(self, provider: str, alg: Alg) -> dict[str, Any]:
        """Give the published public keys (RFC 7517), the signing one first."""
        await self._signing(provider, alg)
        keys = [key for key in reversed(self._rings[provider]) if key.published]
        return {"keys": [_public(key, alg) for key in keys]}

    async def rotate(self, provider: str, alg: Alg, *, keep_old: bool = True, publish: bool = True) -> str:
        """Sign with a new key from now on; give its `kid`. The last three old ones can stay listed."""
        await self._signing(provider, alg)
        fresh = await self._make(alg, publish)
        kept = self._rings[provider][-3:] if keep_old else []
        self._rings[provider] = [*kept, fresh]
        return fresh.kid

    async def sign(self, provider: str, alg: Alg, claims: Mapping[str, Any], flaw: str = "") -> str:
        """Sign claims as a JWS in compact form (RFC 7515), or spoil it as `flaw` (of `flaws.FLAWS`) says."""
        key = await self._signing(provider, alg)
        header: dict[str, Any] = {"alg": alg, "kid": key.kid, "typ": "JWT"}
        payload = json.dumps(claims, separators=(",", ":")).encode()
        match flaw:
            case "alg_none":
                return f"{_segment({'alg': 'none', 'typ': 'JWT'})}.{_b64(payload)}."
            case "hs256_public_key":
                header["alg"] = "HS256"
                # Built by hand: libraries refuse to use a PEM as a shared secret, and rightly so.
                pem = key.jwk.as_pem(private=False)
                return jws.serialize_compact(header, payload, OctKey.import_key(_b64(pem)))
            case "no_kid":
                del header["kid"]
            case "unknown_kid":
                header["kid"] = "unknown-" + self._random(4).hex()
            case "foreign_key":
                key = await self._make(alg, False)
            case "jku":
                header["jku"] = "https://attacker.example/keys"
            case "crit":
                header |= {"crit": ["x-unknown"], "x-unknown": True}
            case _:
                pass
        token = _compact(header, payload, key.jwk)
        return _spoil(token) if flaw == "bad_signature" else token

    async def _signing(self, provider: str, alg: Alg) -> _Key:
        lock = self._locks.setdefault(provider, asyncio.Lock())
        async with lock:
            if provider not in self._rings:
                self._rings[provider] = [await self._make(alg, True)]
        return self._rings[provider][-1]

    async def _make(self, alg: Alg, published: bool) -> _Key:
        kid = self._random(10).hex()
        if alg == "ES256":
            return _Key(ECKey.generate_key("P-256", {"kid": kid}), kid, published)
        made = await asyncio.to_thread(RSAKey.generate_key, 2048, {"kid": kid})
        return _Key(made, kid, published)


def _public(key: _Key, alg: Alg) -> dict[str, Any]:
    return {**key.jwk.as_dict(private=False), "kid": key.kid, "alg": alg, "use": "sig"}


def _compact(header: dict[str, Any], payload: bytes, key: RSAKey | ECKey) -> str:
    if "crit" not in header and "jku" not in header:
        return jws.serialize_compact(header, payload, key)
    # The library refuses headers that it does not know, so these two are put together by hand.
    signing_input = f"{_segment(header)}.{_b64(payload)}"
    alg = jws.JWSRegistry.algorithms[header["alg"]]
    return f"{signing_input}.{_b64(alg.sign(signing_input.encode(), key))}"


def _spoil(token: str) -> str:
    head, _, signature = token.rpartition(".")
    return f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def _segment(header: Mapping[str, Any]) -> str:
    return _b64(json.dumps(header, separators=(",", ":")).encode())


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
