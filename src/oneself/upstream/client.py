"""Our client at one provider, resolved: every address filled in, every choice between the
provider's facts and the project's settings made.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import quote

from oneself.crypto import b64
from oneself.faults import Fault, FaultCode
from oneself.model import EmailTrust, ProviderCredentials, Secret
from oneself.providers.spec import ClientAuth, IdTokenRule, Pairs, Provider, Rotation

_SLOT = re.compile(r"\{([a-z_]+)\}")
# A tenant becomes part of an address: a name or a GUID, never a path or a host of its own.
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,127}")
# Options that the credentials of any provider may have.
OPTIONS = frozenset({"client_auth", "pkce", "nonce", "scope_separator"})
_AUTHS: Mapping[str, ClientAuth] = MappingProxyType({"post": "post", "basic": "basic", "none": "none"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What the calls need: made by `resolve`, and for an issuer with discovery completed by
    `discovery.complete`.

    `endpoints` holds addresses by their name in the provider's file, user documents included.
    `secret` is the client secret, or the private key of a provider that takes signed ones.
    """

    provider: Provider
    client_id: str
    secret: Secret
    issuer: str
    endpoints: Mapping[str, str]
    scopes: tuple[str, ...]
    auth: ClientAuth
    pkce: bool
    id_token: IdTokenRule | None = None
    redirect_issuer: str = ""
    redirect_issuer_required: bool = False
    vendor_hosted: bool = True
    trusted_email_domains: tuple[str, ...] = ()
    email_trust: EmailTrust = "provider"
    options: Mapping[str, str] = field(default_factory=dict)
    tenant: str = ""

    def added(self, kind: str) -> dict[str, str]:
        """Give the parameters that the project adds to a request: its options `<kind>.<name>`."""
        prefix = f"{kind}."
        return {name.removeprefix(prefix): value for name, value in self.options.items() if name.startswith(prefix)}

    @property
    def dead_grant_words(self) -> frozenset[str]:
        """The words of `error` after which a project says that a grant is dead: its option `dead_grant`."""
        return frozenset(filter(None, map(str.strip, self.options.get("dead_grant", "").split(","))))

    @property
    def unread_options(self) -> tuple[str, ...]:
        """The options that nobody reads for this provider: misspelled, or another one's."""
        known = OPTIONS.union(self.provider.options, self.provider.option_params)
        return tuple(
            name for name in self.options if name not in known and not name.startswith(("authorize.", "token."))
        )

    @property
    def scope_separator(self) -> str:
        """What stands between the scopes that are asked for; a project may say `comma`."""
        chosen = self.options.get("scope_separator", "")
        return {"comma": ",", "space": " "}.get(chosen, self.provider.scope_separator)

    def challenge(self, s256: str) -> str:
        """Write an S256 challenge as this provider wants it: as it is (RFC 7636 4.2), or its digest in hex."""
        return (b64.decode(s256) or b"").hex() if self.options.get("pkce_encoding") == "hex" else s256

    @property
    def public(self) -> bool:
        """It has no secret: some providers rotate for such a client."""
        return not self.secret

    @property
    def rotation(self) -> Rotation:
        """Whether a refresh token of this client may be used twice."""
        rule = self.provider.refresh
        return rule.public_client_rotation or rule.rotation if self.public else rule.rotation

    def address(self, name: str) -> str:
        """Give an address by name. Raises `provider_misconfigured` where there is none."""
        url = self.endpoints.get(name, "")
        if not url:
            raise Fault(FaultCode.PROVIDER_MISCONFIGURED, f"no {name} address is known")
        return url


def resolve(provider: Provider, credentials: ProviderCredentials, secret: Secret) -> Client:
    """Put a provider's facts and a project's credentials together; `secret` is the opened client
    secret.

    Scopes of the credentials replace the provider's. The options `client_auth` (post, basic, none)
    `pkce` and `nonce` (on, off) choose where a server differs from its provider's facts, `scope_separator`
    (space, comma) and `pkce_encoding` (base64url, hex) likewise; `authorize.<name>` and `token.<name>` add parameters
    to the requests.
    Raises `provider_misconfigured` for a tenant or a setting that cannot be.
    """
    own = credentials.endpoints
    names = _names(provider, credentials)
    endpoints = {name: fill(url, names) for name, url in provider.endpoints}
    endpoints |= {document.name: fill(document.url, names) for document in provider.documents}
    endpoints |= {name: fill(url, names) for name, url in own.items() if url}
    issuer = fill(provider.issuer, names)
    return Client(
        provider=provider,
        client_id=credentials.client_id,
        secret=secret,
        issuer=issuer,
        endpoints=MappingProxyType(endpoints),
        scopes=credentials.scopes or provider.scopes,
        auth=_auth(provider, credentials, secret),
        pkce=_switch(credentials, "pkce", provider.pkce),
        id_token=_id_token(provider, credentials, names, issuer),
        redirect_issuer=fill(provider.redirect_issuer, names),
        redirect_issuer_required=provider.redirect_issuer_required,
        vendor_hosted=not any(own.values()),
        trusted_email_domains=credentials.trusted_email_domains,
        email_trust=credentials.email_trust,
        options=MappingProxyType(dict(credentials.options)),
        tenant=credentials.tenant or provider.default_tenant,
    )


def issuer_of(provider: Provider, credentials: ProviderCredentials) -> str:
    """The issuer of the client that `resolve` would give. Raises `provider_misconfigured` for an impossible tenant."""
    return fill(provider.issuer, _names(provider, credentials))


def fill(template: str, names: Mapping[str, str]) -> str:
    """Fill the `{name}` slots of a template; a slot that nobody names stays as it is."""
    return _SLOT.sub(lambda slot: names.get(slot[1], slot[0]), template)


def filled(pairs: Pairs, names: Mapping[str, str]) -> dict[str, str]:
    """Fill the slots of every value."""
    return {name: fill(value, names) for name, value in pairs}


def _names(provider: Provider, credentials: ProviderCredentials) -> dict[str, str]:
    tenant = credentials.tenant or provider.default_tenant
    if tenant and not _TENANT.fullmatch(tenant):
        raise Fault(FaultCode.PROVIDER_MISCONFIGURED, "the tenant is no name")
    bases = {name: (credentials.endpoints.get(name) or base).rstrip("/") for name, base in provider.bases}
    return {
        **bases,
        "tenant": tenant,
        "client_id": quote(credentials.client_id, safe=""),
        "issuer": credentials.issuer,
        "issuer_root": credentials.issuer.rstrip("/"),
    }


def _auth(provider: Provider, credentials: ProviderCredentials, secret: Secret) -> ClientAuth:
    wanted = credentials.options.get("client_auth", "")
    if wanted:
        if wanted not in _AUTHS:
            raise Fault(FaultCode.PROVIDER_MISCONFIGURED, "client_auth is none of its values")
        return _AUTHS[wanted]
    return provider.client_auth[0] if secret else "none"


def _switch(credentials: ProviderCredentials, name: str, usual: bool) -> bool:
    wanted = credentials.options.get(name, "")
    if wanted not in ("", "on", "off"):
        raise Fault(FaultCode.PROVIDER_MISCONFIGURED, f"{name} is neither on nor off")
    return usual if not wanted else wanted == "on"


def _id_token(
    provider: Provider, credentials: ProviderCredentials, names: Mapping[str, str], issuer: str
) -> IdTokenRule | None:
    rule = provider.id_token
    if rule is None:
        return None
    issuers = tuple(fill(template, {**names, "issuer": issuer}) for template in rule.issuers)
    return replace(rule, issuers=issuers, nonce=_switch(credentials, "nonce", rule.nonce))
