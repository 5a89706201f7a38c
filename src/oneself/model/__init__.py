"""The nouns of the domain: frozen structs that every room may hold, with no behaviour beyond their own shape.

Times are integers: microseconds since 1970-01-01 UTC. Ids are UUIDv4 text without any dialect's prefix.
"""

from oneself.model.identities import EmailVerdict, Identity, Profile, TokenSet
from oneself.model.mail import CodeKind, Letter, LetterKind, OneTimeCode
from oneself.model.projects import (
    EmailTrust,
    KeyKind,
    Policy,
    Project,
    ProjectConfig,
    ProjectKey,
    ProviderCredentials,
    RedirectUrl,
    TrustedDomain,
)
from oneself.model.records import AuditEntry, SealedTokens
from oneself.model.searches import Listing, Operand, OperandName, Search
from oneself.model.sessions import Factor, Session, SessionRef
from oneself.model.shape import Dialect, Intent, Noun, Secret, SessionKind
from oneself.model.transfers import (
    AccountRecord,
    EmailRecord,
    ImportReport,
    PhoneRecord,
    RefusedRow,
    TransferFormat,
    UserRecord,
)
from oneself.model.trips import Asker, Flow, Trip
from oneself.model.users import EmailAddress, ExternalAccount, PhoneNumber, Team, User, UserView

__all__ = [
    "AccountRecord",
    "Asker",
    "AuditEntry",
    "CodeKind",
    "Dialect",
    "EmailAddress",
    "EmailRecord",
    "EmailTrust",
    "EmailVerdict",
    "ExternalAccount",
    "Factor",
    "Flow",
    "Identity",
    "ImportReport",
    "Intent",
    "KeyKind",
    "Letter",
    "LetterKind",
    "Listing",
    "Noun",
    "OneTimeCode",
    "Operand",
    "OperandName",
    "PhoneNumber",
    "PhoneRecord",
    "Policy",
    "Profile",
    "Project",
    "ProjectConfig",
    "ProjectKey",
    "ProviderCredentials",
    "RedirectUrl",
    "RefusedRow",
    "SealedTokens",
    "Search",
    "Secret",
    "Session",
    "SessionKind",
    "SessionRef",
    "Team",
    "TokenSet",
    "TransferFormat",
    "Trip",
    "TrustedDomain",
    "User",
    "UserRecord",
    "UserView",
]
