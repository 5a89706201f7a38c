"""Every recorded account through its provider's own reading, without any network."""

from __future__ import annotations

from typing import Any

import pytest

from oneself.faults import Fault
from oneself.model import EmailVerdict, Secret
from oneself.providers.registry import ALIASES, PROVIDERS, find, get
from oneself.providers.spec import Evidence, Provider
from oneself.upstream.client import resolve
from tests.providers.recorded import FOLDER, accounts, credentials, expected, label, recording, undone

ACCOUNTS = accounts()


@pytest.mark.parametrize(("provider", "account"), ACCOUNTS, ids=label)
def test_the_profile_is_the_documented_one(provider: Provider, account: dict[str, Any]) -> None:
    settings = credentials(provider, account)
    client = resolve(provider, settings, Secret("secret"))
    evidence = Evidence(
        issuer=client.issuer,
        token=account["token"],
        documents=account.get("documents", {}),
        claims=account.get("claims"),
        vendor_hosted=client.vendor_hosted,
        trusted_email_domains=settings.trusted_email_domains,
        options=settings.options,
        form=account.get("form", {}),
        tenant=client.tenant,
    )
    if account.get("only_over_http"):
        return
    if "fault" in account:
        with pytest.raises(Fault) as caught:
            provider.profile(evidence)
        assert caught.value.code == account["fault"]
    else:
        assert provider.profile(evidence) == expected(account)


@pytest.mark.parametrize("provider", PROVIDERS, ids=label)
def test_every_provider_has_its_recording(provider: Provider) -> None:
    found = recording(provider)
    assert any("profile" in account for account in found["accounts"])
    if provider.refresh.kind != "none":
        assert found["dead_grants"]
        assert found["refreshed"]
    assert found["dead_codes"]
    assert found["cancels"]


def test_no_recording_is_left_over() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == {provider.id for provider in PROVIDERS}


@pytest.mark.parametrize("provider", PROVIDERS, ids=label)
def test_a_provider_is_found_by_its_id_alone(provider: Provider) -> None:
    assert find(provider.id) is provider
    assert find(provider.id.upper()) is None
    assert find(f" {provider.id}") is None


def test_aliases_lead_to_providers() -> None:
    assert all(get(alias).id == name for alias, name in ALIASES.items())
    with pytest.raises(Fault):
        get("nobody")


@pytest.mark.parametrize("provider", PROVIDERS, ids=label)
@pytest.mark.parametrize("odd", [{}, {"userinfo": []}, {"userinfo": {"sub": {"a": 1}, "id": []}}])
def test_without_a_subject_nothing_comes_out(provider: Provider, odd: dict[str, Any]) -> None:
    with pytest.raises(Fault):
        provider.profile(Evidence(issuer="https://issuer.example", documents=odd))


ODD_FLAGS = ["false", "False", "TRUE", "True", " true", "yes", "1", 0, 1, None, [], [True], {}, ""]


@pytest.mark.parametrize("said", ODD_FLAGS, ids=repr)
@pytest.mark.parametrize(("provider", "account"), ACCOUNTS, ids=label)
def test_no_odd_flag_verifies_an_address(provider: Provider, account: dict[str, Any], said: Any) -> None:
    """Wherever a recorded account carries a flag of truth, anything but true or "true" undoes it.

    (What a provider documents otherwise is recorded as an account of its own.)
    """
    if account.get("profile", {}).get("email_verdict") != "verified" or account.get("presence"):
        return
    allowed = account.get("odd_flags_that_verify", [])
    if any(said is one or (said == one and type(said) is type(one)) for one in allowed):
        return
    settings = credentials(provider, account)
    client = resolve(provider, settings, Secret("secret"))
    evidence = Evidence(
        issuer=client.issuer,
        token=account["token"],
        documents=undone(account.get("documents", {}), said),
        claims=undone(account.get("claims"), said),
        vendor_hosted=client.vendor_hosted,
        trusted_email_domains=settings.trusted_email_domains,
        options=settings.options,
        tenant=client.tenant,
    )
    try:
        profile = provider.profile(evidence)
    except Fault:
        return
    assert profile.email_verdict is not EmailVerdict.VERIFIED
