"""What the project makes of a provider's word on an address: it may believe less than the provider's facts say."""

import msgspec

from oneself.model import EmailVerdict, Profile
from oneself.providers.spec import Evidence
from oneself.upstream.client import Client


def concluded(client: Client, evidence: Evidence) -> Profile:
    """Read the evidence as the provider's file does, then tighten the verdict on the address as the project wants.

    Nothing here turns a verdict into a better one: an address that is not believed counts as one of which the provider
    says nothing. Raises what reading the evidence raises.
    """
    profile = client.provider.profile(evidence)
    if profile.email_verdict is not EmailVerdict.VERIFIED:
        return profile
    believed = {
        "provider": True,
        "domains": evidence.trusts(profile.email),
        "nobody": False,
    }[client.email_trust]
    return profile if believed else msgspec.structs.replace(profile, email_verdict=EmailVerdict.SILENT)
