"""Any plain OAuth 2 server: its addresses are the project's `endpoints`, its documents are read by the project's paths.

Options: `subject_path` (required), `email_path`, `email_verified_path`, `name_path`, `picture_path`, each a dotted path
into the user document; `token_path` where the token answer lies deeper; `dead_grant`, the `error` words (with commas
between) that end a grant beside the standard ones. An address counts as proved only with a mapped flag, and only for
the domains that the project trusts this server for; the subject is never an address or a name in its place.
`believe_every_address = "yes"` takes the place of the flag: whoever can name an address there takes over the user who
has it, so it is for test servers.
"""

from typing import Any

from oneself.faults import Fault, FaultCode
from oneself.model import Profile
from oneself.providers.reading import at, email, picture, subject, text, verdict
from oneself.providers.spec import Document, Evidence, Provider, Refresh, Revocation


def _said(evidence: Evidence, option: str) -> Any:
    path = evidence.options.get(option, "")
    return at(evidence.documents.get("userinfo"), *path.split(".")) if path else None


def profile(evidence: Evidence) -> Profile:
    """Follow the project's paths. Raises `provider_misconfigured` where none leads to a subject."""
    if not evidence.options.get("subject_path"):
        raise Fault(FaultCode.PROVIDER_MISCONFIGURED, "no subject_path is configured")
    address = email(_said(evidence, "email_path"))
    believed = evidence.options.get("believe_every_address") == "yes"
    flag = True if believed else _said(evidence, "email_verified_path")
    return Profile(
        subject=subject(_said(evidence, "subject_path")),
        issuer=evidence.issuer,
        email=address,
        email_verdict=verdict(address, flag, proof=evidence.trusts(address)),
        display_name=text(_said(evidence, "name_path")),
        picture_url=picture(_said(evidence, "picture_path")),
    )


GENERIC_OAUTH2 = Provider(
    id="generic_oauth2",
    name="OAuth 2.0",
    kind="oauth2",
    issuer="{issuer}",
    profile=profile,
    email_proof="conditional",
    endpoints=(("authorization", ""), ("token", ""), ("revocation", "")),
    documents=(Document(name="userinfo", url=""),),
    options=(
        *("subject_path", "email_path", "email_verified_path", "name_path", "picture_path"),
        *("token_path", "dead_grant", "believe_every_address"),
    ),
    redirect_issuer="{issuer}",
    client_auth=("basic", "post", "none"),
    answer_separator=",",
    # A server that rotates would see a second use as theft, so single use is assumed.
    refresh=Refresh(rotation="single_use"),
    revocation=Revocation(hint=True),
)
