"""Where a project must point to be served by the emulator: every address of its providers, and no other."""

from __future__ import annotations

import pytest

from oneself.emulator import endpoints_for
from oneself.providers.registry import PROVIDERS
from oneself.providers.spec import Provider
from tests.emulator.rig import Rig, ask

FOUND_BY_DISCOVERY = {"generic_oidc"}


def names(provider: Provider) -> set[str]:
    """The names under which a project may override this provider's addresses."""
    return set(dict(provider.bases)) | set(dict(provider.endpoints)) | {one.name for one in provider.documents}


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.id)
def test_every_address_is_played_under_the_name_that_a_project_uses(provider: Provider) -> None:
    played = endpoints_for(provider.id, "http://127.0.0.1:8114/below/")
    if provider.id in FOUND_BY_DISCOVERY:
        assert played == {"discovery": "http://127.0.0.1:8114/below/oidc/.well-known/openid-configuration"}
        return
    assert set(played) == names(provider)
    assert all(url.startswith("http://127.0.0.1:8114/below/") for url in played.values())


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.id)
def test_every_address_answers(rig: Rig, provider: Provider) -> None:
    bases = set(dict(provider.bases))
    for name, url in endpoints_for(provider.id, rig.base).items():
        if name not in bases:
            at = url.format(tenant="common", client_id="the-client", subject="me", token="none")
            found = [ask(method, at).status for method in ("GET", "POST", "DELETE")]
            assert set(found) != {404}, (name, found)


def test_an_unknown_provider_is_not_played() -> None:
    with pytest.raises(KeyError):
        endpoints_for("myspace", "http://127.0.0.1:8114")
    assert endpoints_for("twitter", "http://h") == endpoints_for("x", "http://h")
