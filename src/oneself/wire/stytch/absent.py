"""Products and factors that this server does not have: they are refused by name, not by a missing route."""

from oneself.wire.stytch import ids
from oneself.wire.stytch.answers import ForeignTokenAnswer, UserInsideAnswer
from oneself.wire.stytch.call import Call
from oneself.wire.stytch.refusals import Refusal


async def delete_webauthn(call: Call) -> UserInsideAnswer:
    """`DELETE /v1/users/webauthn_registrations/{webauthn_registration_id}`: nobody has one."""
    return _nobody_has(call, "webauthn-registration", "webauthn_registration_id", "webauthn_registration_not_found")


async def delete_biometric(call: Call) -> UserInsideAnswer:
    """`DELETE /v1/users/biometric_registrations/{biometric_registration_id}`: nobody has one."""
    return _nobody_has(call, "biometric-registration", "biometric_registration_id", "biometric_registration_not_found")


async def delete_totp(call: Call) -> UserInsideAnswer:
    """`DELETE /v1/users/totps/{totp_id}`: nobody has one."""
    return _nobody_has(call, "totp", "totp_id", "totp_not_found")


async def delete_wallet(call: Call) -> UserInsideAnswer:
    """`DELETE /v1/users/crypto_wallets/{crypto_wallet_id}`: nobody has one."""
    return _nobody_has(call, "crypto-wallet", "crypto_wallet_id", "crypto_wallet_not_found")


async def exchange_access_token(_call: Call) -> ForeignTokenAnswer:
    """`POST /v1/sessions/exchange_access_token`: from a connected app's token."""
    raise Refusal("product_not_configured", "Connected Apps are not configured in this project.")


async def attest(_call: Call) -> ForeignTokenAnswer:
    """`POST /v1/sessions/attest`: from a trusted token of another issuer."""
    raise Refusal("product_not_configured", "No trusted token profile is configured in this project.")


def _nobody_has(call: Call, prefix: str, parameter: str, absent: str) -> UserInsideAnswer:
    if not ids.is_of(prefix, call.request.params[parameter]):
        raise Refusal("invalid_id")
    raise Refusal(absent)
