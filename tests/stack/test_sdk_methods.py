"""Every method that the SDK exports is driven by a test here, or named with the reason why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import node_run
from tests.stack.test_sdk import SDKS
from tests.stack.wire import Stack, fresh_email

pytestmark = pytest.mark.node

# What the scenarios of `tests/node/stack_sdk.mjs` call, and the pages of `test_browser_sdk.py`.
DRIVEN = {
    "client": (
        "callOAuthCallback getPartialUser getProject getUser resetPassword sendForgotPasswordEmail "
        "sendMagicLinkEmail signInWithCredential signInWithMagicLink signInWithMfa signInWithOAuth signOut "
        "signUpWithCredential verifyEmail verifyPasswordResetCode"
    ),
    "server": "createOAuthProvider createTeam createUser getTeam getUser listTeams listUsers",
    "admin": "createInternalApiKey getProject listInternalApiKeys",
    "serverUser": (
        "createContactChannel createSession delete getOAuthProvider listContactChannels listOAuthProviders listTeams "
        "setClientReadOnlyMetadata setDisplayName setPrimaryEmail setServerMetadata"
    ),
    "clientUser": (
        "createContactChannel createTeam delete getAccessToken getActiveSessions getAuthHeaders getAuthJson "
        "getConnectedAccount getOAuthProvider getOrLinkConnectedAccount getRefreshToken getTeam leaveTeam "
        "linkConnectedAccount listConnectedAccounts "
        "listContactChannels listOAuthProviders listTeams revokeSession setClientMetadata setPassword setSelectedTeam "
        "signOut toClientJson update updatePassword"
    ),
    "session": "getTokens",
    "serverTeam": "addUser delete removeUser update",
    "clientTeam": "delete update",
    "project": "delete getConfig getConfigOverride replaceConfigOverride resetConfigOverrideKeys update updateConfig",
    "key": "isValid revoke whyInvalid",
    "serverChannel": "delete update",
    "clientChannel": "delete sendVerificationEmail",
    "linkedAccount": "delete update",
    "connectedAccount": "getAccessToken",
}
# What no scenario calls, by the reason.
LEFT_OUT = {
    "sends a browser to a page of the application, and calls nothing here": (
        "promptCliLogin redirectToAccountSettings "
        "redirectToAfterSignIn redirectToAfterSignOut redirectToAfterSignUp redirectToCliAuthConfirm "
        "redirectToEmailVerification redirectToError redirectToForgotPassword redirectToHome "
        "redirectToMagicLinkCallback redirectToMfa redirectToOAuthCallback redirectToOnboarding "
        "redirectToPasswordReset redirectToSignIn redirectToSignOut redirectToSignUp redirectToTeamInvitation"
    ),
    "invitations, and mail that an application or its owner writes, are not here": (
        "acceptTeamInvitation getTeamInvitationDetails inviteUser listInvitations listTeamInvitations sendEmail "
        "verifyTeamInvitationCode activateEmailCapacityBoost applyManagedEmailProvider "
        "cancelOutboxEmail checkManagedEmailStatus createEmailDraft createEmailTemplate createEmailTheme "
        "deleteEmailDraft deleteEmailTemplate deleteEmailTheme deleteManagedEmailDomain getEmailDeliveryStats "
        "getEmailPreview getEmailPreviewWithEditableMarkers getOutboxEmail listEmailDrafts listEmailTemplates "
        "listEmailThemes listManagedEmailDomains listOutboxEmails listSentEmails pauseOutboxEmail refreshEmailDrafts "
        "rewriteTemplateSourceWithAI sendSignInInvitationEmail sendTestEmail setupManagedEmailProvider "
        "unpauseOutboxEmail updateEmailDraft updateEmailTemplate updateEmailTheme updateOutboxEmail"
    ),
    "passkeys are not here": "registerPasskey signInWithPasskey",
    "permissions of teams are not here": (
        "createProjectPermissionDefinition createTeamPermissionDefinition deleteProjectPermissionDefinition "
        "deleteTeamPermissionDefinition getPermission grantPermission hasPermission listPermissions "
        "listProjectPermissionDefinitions listTeamMemberPermissions listTeamPermissionDefinitions "
        "listTeamPermissionDefinitionsPaginated revokePermission updateProjectPermissionDefinition "
        "updateTeamPermissionDefinition"
    ),
    "profiles of members are not here; `listUsers({ teamId })` of the server app lists them": "getTeamProfile",
    "configuration that a repository or a deployment pushes is another product": (
        "getProductionModeErrors getPushedConfigSource pushConfig unlinkPushedConfigSource updatePushedConfig"
    ),
    "keys of users and teams, notifications, payments, analytics and recordings are another product": (
        "cancelSubscription createApiKey createCheckoutUrl createItemQuantityChange createPaymentMethodSetupIntent "
        "createStripeWidgetAccountSession getBilling getDataVaultStore getItem getPaymentMethodConfigs "
        "getSessionReplay getSessionReplayChunkEvents getSessionReplayEvents getStripeAccountInfo grantProduct "
        "listApiKeys listChatMessages listInvoices listNotificationCategories listProducts listSessionReplayChunks "
        "listSessionReplays listTransactions previewAffectedUsersByOnboardingChange queryAnalytics refundTransaction "
        "saveChatMessage sendTestWebhook setDefaultPaymentMethodFromSetupIntent setupPayments switchSubscription "
        "updatePaymentMethodConfigs"
    ),
    "another name of what is driven": (
        "getAuthorizationHeader getConvexClientAuth getConvexHttpClientAuth getServerUser getServerUserById"
    ),
}


@pytest.mark.parametrize("sdk", SDKS)
def test_every_method_is_driven_or_named(stack: Stack, sdk: str) -> None:
    given = {
        "sdk": sdk,
        "baseUrl": stack.base_url,
        "projectId": stack.project_id,
        "clientKey": stack.client_key,
        "serverKey": stack.server_key,
        "adminKey": stack.admin_key,
        "email": fresh_email(),
    }
    offered = node_run.run("stack_methods.mjs", send=given)
    everything = {name for names in offered.values() for name in names}
    driven = {name for names in DRIVEN.values() for name in names.split()}
    named = {name for names in LEFT_OUT.values() for name in names.split()}
    assert everything - driven - named == set()
    assert (driven | named) - everything == set()
    assert driven & named == set()
    for kind, names in DRIVEN.items():
        assert set(names.split()) <= set(offered[kind]), kind


def test_what_is_called_driven_is_called() -> None:
    script = (Path(node_run.FOLDER) / "stack_sdk.mjs").read_text()
    script += (Path(__file__).parent / "test_browser_sdk.py").read_text()
    for names in DRIVEN.values():
        for name in names.split():
            assert f".{name}(" in script, name
