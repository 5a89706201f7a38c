"""`oneself provider list`: the providers that this release knows."""

from typing import Any

import click

from oneself.cli.output import json_line, table
from oneself.providers import registry
from oneself.providers.spec import EmailProof, Provider

# What its word on an address is worth: only a proved one ever leads to a user who has it.
_ADDRESS: dict[EmailProof, str] = {
    "flag": "proved by its flag",
    "presence": "proved where it is there",
    "conditional": "proved on condition",
    "never": "never proved",
    "none": "none",
}


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line.")
def listing(as_json: bool) -> None:
    """List all supported providers."""
    told = [described(one) for one in registry.PROVIDERS]
    if as_json:
        json_line({"providers": told})
        return
    rows = [
        (
            one["id"],
            one["name"],
            one["kind"],
            one["address"],
            mark(one["pkce"]),
            one["refresh"],
            mark(one["revokes"]),
            one["scopes"],
        )
        for one in told
    ]
    table(("id", "name", "kind", "address", "PKCE", "refresh", "revokes", "scopes"), rows)


def described(one: Provider) -> dict[str, Any]:
    """What there is to say of a provider, whatever project uses it."""
    return {
        "id": one.id,
        "name": one.name,
        "kind": one.kind,
        "address": _ADDRESS[one.email_proof],
        "pkce": one.pkce,
        "refresh": one.refresh.kind if one.refresh.kind != "standard" else one.refresh.rotation,
        "refresh_scope": one.refresh.scope,
        "revokes": one.revocation is not None,
        "scopes": " ".join(one.scopes),
    }


def mark(yes: bool) -> str:
    """A yes or no as it is shown."""
    return "yes" if yes else "no"
