"""The linking table of the architecture and of docs/decisions.md, row by row; no database needed."""

from typing import Any

import msgspec
import pytest

from oneself.faults import FaultCode
from oneself.model import Asker, EmailAddress, EmailVerdict, ExternalAccount, Intent, Policy, Profile, UserView
from oneself.rules.linking import Create, Facts, Link, Reclaim, Refuse, SignIn, decide, ways_in
from oneself.rules.policies import DEFAULTS
from oneself.steps.people import new_user

ISSUER = "https://accounts.example"
STYTCH, STACK = DEFAULTS["stytch"], DEFAULTS["stack"]


def chance(size: int) -> bytes:
    """No chance at all: ids are set by hand."""
    return bytes(size)


def view(user_id: str, *parts: EmailAddress | ExternalAccount, **fields: Any) -> UserView:
    """A user with these addresses and accounts."""
    return UserView(
        user=new_user(chance, 0, id=user_id, **fields),
        emails=tuple(part for part in parts if isinstance(part, EmailAddress)),
        accounts=tuple(part for part in parts if isinstance(part, ExternalAccount)),
    )


def email(owner: str, *, verified: bool = True, claims: bool = True, address: str = "ada@x.example") -> EmailAddress:
    """An address of a user."""
    return EmailAddress(
        id=f"e-{owner}",
        user_id=owner,
        address=address,
        folded=address,
        verified_at=int(verified),
        verified_by="mail" if verified else "",
        is_primary=True,
        claims_sign_in=claims,
        created_at=0,
    )


def account(owner: str, subject: str = "s1", *, sign_in: bool = True, config: str = "google") -> ExternalAccount:
    """An account of a user."""
    return ExternalAccount(
        id=f"a-{owner}-{subject}-{config}",
        user_id=owner,
        config_id=config,
        provider=config,
        issuer=ISSUER,
        subject=subject,
        allow_sign_in=sign_in,
        allow_connected_accounts=True,
        email="",
        email_verified=False,
        email_id="",
        picture_url="",
        locale="",
        created_at=0,
    )


def facts(
    *people: UserView,
    intent: Intent = "sign_in",
    verdict: EmailVerdict = EmailVerdict.VERIFIED,
    asker: Asker | None = None,
    allow_sign_in: bool = True,
    legacy: str = "",
    address: str = "ada@x.example",
    only: str = "",
) -> Facts:
    """The facts of a trip whose provider says: subject s1, address ada@x.example."""
    return Facts(
        intent=intent,
        config_id="google",
        profile=Profile(subject="s1", issuer=ISSUER, email=address, email_verdict=verdict, legacy_subject=legacy),
        folded=address,
        views={person.user.id: person for person in people},
        asker=asker,
        allow_sign_in=allow_sign_in,
        allow_connected_accounts=True,
        only_account=only,
    )


def with_(policy: Policy, **changes: Any) -> Policy:
    """A policy that differs a little."""
    return msgspec.structs.replace(policy, **changes)


U, V = "user-u", "user-v"
BY_U = Asker(user_id=U, security_epoch=1)
SILENT, UNVERIFIED = EmailVerdict.SILENT, EmailVerdict.UNVERIFIED

SIGN_IN_ROWS = [
    # this subject's account, the owner of the address, what the provider says, the policy -> the decision
    (facts(view(U, account(U))), STACK, SignIn(user_id=U, account_id="a-user-u-s1-google", reason="known_account")),
    (
        facts(view(U, account(U)), view(V, email(V)), verdict=SILENT),
        STYTCH,
        SignIn(user_id=U, account_id="a-user-u-s1-google", reason="known_account"),
    ),
    (facts(view(U, account(U), status="disabled")), STACK, FaultCode.USER_UNAVAILABLE),
    (facts(), STACK, Create(email=True, claims=True, upgrade="", take_from="", reason="new_account")),
    (
        facts(verdict=UNVERIFIED),
        STACK,
        Create(email=True, claims=True, upgrade="", take_from="", reason="new_account"),
    ),
    (
        facts(verdict=UNVERIFIED),
        STYTCH,
        Create(email=False, claims=False, upgrade="", take_from="", reason="new_account"),
    ),
    (facts(), with_(STACK, sign_up=False), FaultCode.SIGN_UP_CLOSED),
    (facts(), with_(STYTCH, sign_up=False), FaultCode.SIGN_UP_CLOSED),
    (facts(view(U, account(U))), with_(STACK, sign_up=False), SignIn),
    (facts(view(V, email(V))), with_(STACK, sign_up=False), Link),
    (
        facts(view(V, email(V))),
        STACK,
        Link(user_id=V, account_id="", sign_in=True, reason="verified_address"),
    ),
    (facts(view(V, email(V)), verdict=SILENT), STACK, FaultCode.EMAIL_UNVERIFIED),
    (facts(view(V, email(V)), verdict=UNVERIFIED), STACK, FaultCode.EMAIL_UNVERIFIED),
    (facts(view(V, email(V, verified=False))), STACK, FaultCode.EMAIL_OWNER_UNVERIFIED),
    (facts(view(V, email(V, verified=False)), verdict=SILENT), STACK, FaultCode.EMAIL_OWNER_UNVERIFIED),
    (
        facts(view(V, email(V)), verdict=SILENT),
        STYTCH,
        Create(email=False, claims=False, upgrade="", take_from="", reason="address_not_vouched_for"),
    ),
    (
        facts(view(V, email(V, verified=False))),
        STYTCH,
        Reclaim(user_id=V, email_id="e-user-v", reason="address_proved_by_provider"),
    ),
    (
        facts(view(V, email(V, verified=False), account(V, "other"))),
        STYTCH,
        Create(email=True, claims=True, upgrade="", take_from="e-user-v", reason="address_proved_by_newcomer"),
    ),
    (facts(view(V, email(V))), with_(STACK, email_match="refuse"), FaultCode.EMAIL_IN_USE),
    (
        facts(view(V, email(V)), verdict=SILENT),
        with_(STACK, email_match="duplicate"),
        Create(email=True, claims=False, upgrade="", take_from="", reason="duplicate_allowed"),
    ),
    # connected only is as if it were absent, and linking it turns the one row on
    (facts(view(U, account(U, sign_in=False))), STACK, Create),
    (
        facts(view(V, email(V), account(V, sign_in=False))),
        STACK,
        Link(user_id=V, account_id="a-user-v-s1-google", sign_in=True, reason="verified_address"),
    ),
    # a second account at the same provider: connected only, or a second registration
    (
        facts(view(V, email(V), account(V, "s2"))),
        STACK,
        Link(user_id=V, account_id="", sign_in=False, reason="verified_address_slot_taken"),
    ),
    (
        facts(view(V, email(V), account(V, "s2"))),
        STYTCH,
        Link(user_id=V, account_id="", sign_in=True, reason="verified_address"),
    ),
    # an address that does not claim sign-in is nobody's
    (facts(view(V, email(V, claims=False))), STACK, Create),
    (facts(address=""), STACK, Create(email=False, claims=False, upgrade="", take_from="", reason="new_account")),
    (facts(allow_sign_in=False), STACK, FaultCode.PROVIDER_NOT_ENABLED),
    # an anonymous user who signs in is upgraded, unless sign-up is closed
    (
        facts(view(U, is_anonymous=True), asker=BY_U),
        STACK,
        Create(email=True, claims=True, upgrade=U, take_from="", reason="anonymous_upgraded"),
    ),
    (facts(view(U, is_anonymous=True), asker=BY_U), with_(STACK, sign_up=False), FaultCode.SIGN_UP_CLOSED),
    (
        facts(view(U), asker=BY_U),
        STACK,
        Create(email=True, claims=True, upgrade="", take_from="", reason="new_account"),
    ),
    # a provider that changed its ids finds the row of the older one
    (
        facts(view(U, account(U, "old")), legacy="old"),
        STYTCH,
        SignIn(user_id=U, account_id="a-user-u-old-google", reason="known_account"),
    ),
    (
        facts(view(U, account(U, "old")), view(V, account(V, "s1")), legacy="old"),
        STYTCH,
        SignIn(user_id=V, account_id="a-user-v-s1-google", reason="known_account"),
    ),
]

ATTACH_ROWS = [
    (
        facts(view(U, account(U)), intent="attach", asker=BY_U),
        SignIn(user_id=U, account_id="a-user-u-s1-google", reason="already_linked"),
    ),
    (facts(view(U), view(V, account(V)), intent="attach", asker=BY_U), FaultCode.ACCOUNT_IN_USE),
    (
        facts(view(U), intent="attach", asker=BY_U),
        Link(user_id=U, account_id="", sign_in=True, reason="attached"),
    ),
    # somebody else has it as connected only: that stands against nothing
    (
        facts(view(U), view(V, account(V, sign_in=False)), intent="attach", asker=BY_U),
        Link(user_id=U, account_id="", sign_in=True, reason="attached"),
    ),
    (
        facts(view(U, account(U, sign_in=False)), intent="attach", asker=BY_U),
        Link(user_id=U, account_id="a-user-u-s1-google", sign_in=True, reason="attached"),
    ),
    (
        facts(view(U, account(U, "s2")), intent="attach", asker=BY_U),
        Link(user_id=U, account_id="", sign_in=False, reason="attached_slot_taken"),
    ),
    (
        facts(view(U), intent="attach", asker=BY_U, allow_sign_in=False),
        Link(user_id=U, account_id="", sign_in=False, reason="attached"),
    ),
    # the address of a third user does not matter
    (facts(view(U), view(V, email(V)), intent="attach", asker=BY_U), Link),
    (facts(intent="attach", asker=BY_U), FaultCode.USER_UNAVAILABLE),
    (facts(view(U, status="disabled"), intent="attach", asker=BY_U), FaultCode.USER_UNAVAILABLE),
    (facts(view(U, security_epoch=2), intent="attach", asker=BY_U), FaultCode.ASKER_GONE),
]

# a trip for more consent of an account that is linked: nothing but its tokens may change
ONLY = "a-user-u-s1-google"
SAME = SignIn(user_id=U, account_id=ONLY, reason="consented_again")


def consent_facts(*people: UserView, only: str = ONLY, **fields: Any) -> Facts:
    """The facts of a trip for more consent that user u asked for."""
    return facts(*people, intent="attach", asker=BY_U, only=only, **fields)


CONSENT_ROWS = [
    (consent_facts(view(U, account(U))), SAME),
    (consent_facts(view(U, account(U, sign_in=False))), SAME),
    (consent_facts(view(U, account(U, sign_in=False)), view(V, account(V))), SAME),
    (consent_facts(view(U, account(U)), allow_sign_in=False), SAME),
    # another account comes back: of nobody, of somebody else, of the same user
    (consent_facts(view(U, account(U, "s2")), only="a-user-u-s2-google"), FaultCode.ACCOUNT_OTHER),
    (consent_facts(view(U, account(U, "s2")), view(V, account(V)), only="a-user-u-s2-google"), FaultCode.ACCOUNT_OTHER),
    (consent_facts(view(U, account(U), account(U, "s2")), only="a-user-u-s2-google"), FaultCode.ACCOUNT_OTHER),
    # the account has gone, is somebody else's by now, or its name is of another issuer
    (consent_facts(view(U)), FaultCode.ACCOUNT_OTHER),
    (consent_facts(view(U), view(V, account(V)), only="a-user-v-s1-google"), FaultCode.ACCOUNT_OTHER),
    (
        consent_facts(view(U, msgspec.structs.replace(account(U), issuer="https://git.corp.example"))),
        FaultCode.ACCOUNT_OTHER,
    ),
    # it is carried over from an older id at its next sign-in, and is the same account until then
    (consent_facts(view(U, account(U, "s0")), only="a-user-u-s0-google", legacy="s0"), SignIn),
    (consent_facts(view(U, account(U), status="disabled")), FaultCode.USER_UNAVAILABLE),
    (consent_facts(view(U, account(U), security_epoch=2)), FaultCode.ASKER_GONE),
]


@pytest.mark.parametrize("policy", [STACK, STYTCH])
@pytest.mark.parametrize(("known", "expected"), CONSENT_ROWS)
def test_more_consent(known: Facts, policy: Policy, expected: Any) -> None:
    decision = decide(known, policy)
    assert holds(decision, expected), decision


def holds(decision: Any, expected: Any) -> bool:
    """A code stands for a refusal with it, a class for any decision of it."""
    if isinstance(expected, FaultCode):
        return isinstance(decision, Refuse) and decision.code is expected
    return isinstance(decision, expected) if isinstance(expected, type) else decision == expected


@pytest.mark.parametrize(("known", "policy", "expected"), SIGN_IN_ROWS)
def test_sign_in(known: Facts, policy: Policy, expected: Any) -> None:
    decision = decide(known, policy)
    assert holds(decision, expected), decision


@pytest.mark.parametrize(("known", "expected"), ATTACH_ROWS)
def test_attach(known: Facts, expected: Any) -> None:
    decision = decide(known, STACK)
    assert holds(decision, expected), decision


def test_the_same_provider_name_elsewhere_is_another_account() -> None:
    elsewhere = msgspec.structs.replace(account(U), issuer="https://git.corp.example")
    assert isinstance(decide(facts(view(U, elsewhere)), STACK), Create)
    assert isinstance(decide(facts(view(U, account(U, config="other"))), STACK), Create)


def test_ways_in_count_what_would_remain() -> None:
    person = view(U, email(U), account(U), account(U, "s2", config="github"))
    assert ways_in(person, without_account="a-user-u-s1-google") == {"account", "email"}
    bare = view(U, account(U))
    assert ways_in(bare) == {"account"}
    assert ways_in(bare, without_account="a-user-u-s1-google") == set()
    assert ways_in(view(U, email(U, claims=False))) == set()
    assert ways_in(view(U, account(U, sign_in=False))) == set()
