"""What each dialect's contract decides unless a project says otherwise: policies by dialect."""

from oneself.model import Policy, Project

DEFAULTS: dict[str, Policy] = {
    "stytch": Policy(
        email_match="link",
        unverified_email="create",
        unverified_owner="reclaim",
        keep_unverified_email=False,
        one_sign_in_account_per_provider=False,
        keep_last_way_in=True,
        wrong_verifier_spends=True,
        adopt_verified_email=True,
    ),
    "stack": Policy(),
    "console": Policy(
        unverified_email="create",
        unverified_owner="reclaim",
        keep_unverified_email=False,
        one_sign_in_account_per_provider=False,
        keep_last_way_in=True,
        attach_proof="session",
        wrong_verifier_spends=True,
        adopt_verified_email=True,
    ),
}


def policy_of(project: Project, dialect: str) -> Policy:
    """The policy of a project in a dialect: its own where it has one, else the contract's."""
    return project.config.policies.get(dialect) or DEFAULTS[dialect]
