// Plays one scenario through one published version of Stack's own SDK and reports what it saw.
import { received, report, thrown } from "./report.mjs";

const given = received();
const { StackAdminApp, StackClientApp, StackServerApp } = await import(given.sdk);

const common = {
  baseUrl: given.baseUrl,
  projectId: given.projectId,
  publishableClientKey: given.clientKey,
  noAutomaticPrefetch: true,
  redirectMethod: "none",
};
const server = new StackServerApp({ ...common, tokenStore: "memory", secretServerKey: given.serverKey });
const admin = () =>
  new StackAdminApp({
    ...common,
    tokenStore: "memory",
    secretServerKey: given.serverKey,
    superSecretAdminKey: given.adminKey,
  });
const client = (tokenStore = "memory") => new StackClientApp({ ...common, tokenStore });

/** The error that a call throws, or its value when it does not. */
async function outcome(call) {
  try {
    return { value: await call() };
  } catch (error) {
    return { error: thrown(error) };
  }
}

const plain = (row) => ({
  id: row.id,
  type: row.type,
  userId: row.userId,
  accountId: row.accountId,
  email: row.email,
  allowSignIn: row.allowSignIn,
  allowConnectedAccounts: row.allowConnectedAccounts,
});
const told = (result) =>
  result.status === "ok" ? { ok: result.data ?? null } : { error: result.error.errorCode };

async function signedIn(user) {
  const session = await user.createSession({});
  return client(await session.getTokens());
}

async function serverFor(app) {
  const me = await app.getUser();
  const tokens = { accessToken: await me.getAccessToken(), refreshToken: await me.getRefreshToken() };
  return new StackServerApp({ ...common, tokenStore: tokens, secretServerKey: given.serverKey });
}

const scenarios = {
  async mailAsked() {
    const user = await server.createUser({ primaryEmail: given.unproved, primaryEmailAuthEnabled: true });
    const app = await signedIn(user);
    const me = await app.getUser();
    const [channel] = await me.listContactChannels();
    const { callbackUrl } = given;
    return {
      magic: told(await client().sendMagicLinkEmail(given.newcomer, { callbackUrl })),
      elsewhere: told(await client().sendMagicLinkEmail(given.newcomer, { callbackUrl: "https://evil.example/" })),
      forgot: told(await client().sendForgotPasswordEmail(given.known, { callbackUrl })),
      nobody: told(await client().sendForgotPasswordEmail(given.nobody, { callbackUrl })),
      channel: await outcome(() => channel.sendVerificationEmail({ callbackUrl })),
    };
  },

  async mailAnswered() {
    const app = client();
    const magic = told(await app.signInWithMagicLink(given.magic, { noRedirect: true }));
    const me = await app.getUser();
    const other = client();
    return {
      magic,
      me: [me.primaryEmail, me.primaryEmailVerified, me.otpAuthEnabled],
      magicAgain: told(await other.signInWithMagicLink(given.magic, { noRedirect: true })),
      verify: told(await other.verifyEmail(given.verify)),
      verifyAgain: told(await other.verifyEmail(given.verify)),
      look: told(await other.verifyPasswordResetCode(given.reset)),
      reset: told(await other.resetPassword({ code: given.reset, password: given.password })),
      lookAgain: told(await other.verifyPasswordResetCode(given.reset)),
      resetAgain: told(await other.resetPassword({ code: given.reset, password: given.password })),
      signIn: told(
        await other.signInWithCredential({ email: given.known, password: given.password, noRedirect: true }),
      ),
      wrongMfa: await outcome(async () => told(await client().signInWithMfa("12345", given.attempt, { noRedirect: true }))),
      mfa: told(await other.signInWithMfa(given.totp, given.attempt, { noRedirect: true })),
      mfaUser: (await other.getUser()).id,
    };
  },

  async users() {
    const user = await server.createUser({
      displayName: "Ada",
      primaryEmail: given.email,
      primaryEmailVerified: true,
      clientMetadata: { a: 1 },
      serverMetadata: { secret: true },
    });
    await user.setDisplayName("Ada B.");
    await user.setServerMetadata({ more: [1, 2] });
    const again = await server.getUser(user.id);
    const app = await signedIn(user);
    const me = await app.getUser();
    await me.update({ displayName: "Myself", clientMetadata: { b: 2 } });
    const listed = await server.listUsers({ query: given.email });
    const before = (await server.getUser(user.id)).displayName;
    const refused = await outcome(() => me.delete());
    await (await server.getUser(user.id)).delete();
    return {
      id: user.id,
      again: [again.displayName, again.primaryEmail, again.primaryEmailVerified, again.serverMetadata],
      me: [me.id === user.id, me.primaryEmail, me.clientMetadata, me.hasPassword, me.isAnonymous],
      serverSeesIt: me.serverMetadata === undefined,
      listed: listed.map((one) => one.id === user.id),
      before,
      refused: refused.error?.message ?? null,
      gone: await server.getUser(user.id),
      stranger: await server.getUser("11111111-1111-4111-8111-111111111111"),
    };
  },

  async oauthProviders() {
    const ada = await server.createUser({ displayName: "Ada" });
    const bob = await server.createUser({ displayName: "Bob" });
    const create = (user, accountId, allowSignIn) =>
      server.createOAuthProvider({
        userId: user.id,
        accountId,
        providerConfigId: "google",
        email: "x@corp.example",
        allowSignIn,
        allowConnectedAccounts: true,
      });
    const made = await create(ada, given.account, true);
    const taken = await create(bob, given.account, true);
    const shared = await create(bob, given.account, false);
    const mine = await (await signedIn(ada)).getUser();
    const listed = await mine.listOAuthProviders();
    const one = await mine.getOAuthProvider(made.data.id);
    const updated = told(await one.update({ allowConnectedAccounts: false }));
    const turned = told(await (await bob.listOAuthProviders())[0].update({ allowSignIn: true }));
    const serverSide = await ada.getOAuthProvider(made.data.id);
    const moved = told(await serverSide.update({ accountId: given.account + "-2" }));
    const turnedAgain = told(await (await bob.listOAuthProviders())[0].update({ allowSignIn: true }));
    await (await mine.getOAuthProvider(made.data.id)).delete();
    return {
      made: plain(made.data),
      adaId: ada.id,
      taken: told(taken).error,
      shared: shared.status,
      listed: listed.map(plain),
      updated,
      turned,
      moved,
      turnedAgain,
      missing: await mine.getOAuthProvider("11111111-1111-4111-8111-111111111111"),
      left: (await ada.listOAuthProviders()).map(plain),
    };
  },

  async connectedAccounts() {
    const app = client({ accessToken: given.accessToken, refreshToken: given.refreshToken });
    const me = await app.getUser();
    const connected = await me.listConnectedAccounts();
    const one = await me.getConnectedAccount({
      provider: connected[0].provider,
      providerAccountId: connected[0].providerAccountId,
    });
    const token = await one.getAccessToken();
    const scoped = await me.getConnectedAccount("google", { or: "return-null", scopes: ["no-such-scope"] });
    const other = await me.getConnectedAccount("github");
    const wide = await outcome(async () =>
      (await me.getConnectedAccount("google")).getAccessToken(),
    );
    return {
      connected: connected.map((row) => [row.provider, row.providerAccountId]),
      token: typeof (token.data?.accessToken ?? token.accessToken),
      scoped,
      other,
      wide: wide.error ?? typeof wide.value.accessToken,
    };
  },

  async sessions() {
    const user = await server.createUser({ displayName: "Ada" });
    const first = await user.createSession({ expiresInMillis: 3_600_000 });
    const second = await user.createSession({ isImpersonation: true });
    const app = client(await first.getTokens());
    const me = await app.getUser();
    const active = await me.getActiveSessions();
    const current = active.find((one) => one.isCurrentSession);
    const refused = await outcome(() => me.revokeSession(current.id));
    const third = await user.createSession({});
    const other = (await me.getActiveSessions()).find((one) => !one.isCurrentSession);
    await me.revokeSession(other.id);
    const left = await me.getActiveSessions();
    await me.signOut();
    const { refreshToken } = await first.getTokens();
    const after = client({ accessToken: null, refreshToken });
    return {
      seen: active.length,
      current: [current.userId === user.id, current.isImpersonation],
      refused: refused.error?.message ?? null,
      left: left.length,
      impersonating: typeof (await second.getTokens()).accessToken,
      third: typeof (await third.getTokens()).refreshToken,
      signedOut: (await after.getUser()) === null,
    };
  },

  async passwords() {
    const app = client();
    const options = { email: given.email, password: "correct horse battery", noRedirect: true };
    const up = await app.signUpWithCredential({ ...options, noVerificationCallback: true });
    const me = await app.getUser();
    const again = await client().signUpWithCredential({ ...options, noVerificationCallback: true });
    const short = await client().signUpWithCredential({
      email: "new-" + given.email,
      password: "short",
      noRedirect: true,
      noVerificationCallback: true,
    });
    const wrong = await client().signInWithCredential({ ...options, password: "something else" });
    const other = client();
    const right = await other.signInWithCredential(options);
    const same = (await other.getUser()).id === me.id;
    const mismatch = await me.updatePassword({ oldPassword: "not this one", newPassword: "a better one" });
    const changed = await me.updatePassword({ oldPassword: options.password, newPassword: "a better one" });
    return {
      up: told(up),
      me: [me.primaryEmail, me.hasPassword, me.emailAuthEnabled],
      again: told(again),
      short: told(short),
      wrong: told(wrong),
      right: told(right),
      same,
      mismatch: mismatch?.errorCode ?? null,
      changed: changed ?? null,
    };
  },

  async anonymous() {
    const app = client();
    const user = await app.getUser({ or: "anonymous" });
    const plainly = await app.getUser();
    const up = await app.signUpWithCredential({
      email: given.email,
      password: "correct horse battery",
      noRedirect: true,
      noVerificationCallback: true,
    });
    const now = await app.getUser();
    return {
      user: [user.isAnonymous, user.isRestricted, user.restrictedReason],
      plainly,
      up: told(up),
      upgraded: [now.id === user.id, now.isAnonymous, now.primaryEmail],
    };
  },

  async project() {
    const project = await client().getProject();
    return { id: project.id, name: project.displayName, config: project.config };
  },

  async refresh() {
    // An access token that is no token at all: the SDK throws it away and refreshes by itself.
    const app = client({ accessToken: "not.a.token", refreshToken: given.refreshToken });
    const me = await outcome(() => app.getUser());
    const fresh = client({ accessToken: null, refreshToken: given.refreshToken });
    const user = await fresh.getUser();
    const dead = client({ accessToken: null, refreshToken: "x".repeat(45) });
    return { me: me.value?.id ?? me.error, fresh: user?.id ?? null, dead: await dead.getUser() };
  },

  async admin() {
    const app = admin();
    const user = await app.getUser("11111111-1111-4111-8111-111111111111");
    const project = await app.getProject();
    const key = await app.createInternalApiKey({
      description: "From the SDK",
      expiresAt: new Date(Date.now() + 3_600_000),
      hasPublishableClientKey: true,
      hasSecretServerKey: true,
      hasSuperSecretAdminKey: false,
    });
    const keyed = new StackServerApp({ ...common, tokenStore: "memory", secretServerKey: key.secretServerKey });
    const works = (await keyed.getUser("11111111-1111-4111-8111-111111111111")) === null;
    const listed = (await app.listInternalApiKeys()).find((one) => one.id === key.id);
    const before = listed.whyInvalid();
    await listed.revoke();
    await project.updateConfig({ "onboarding.requireEmailVerification": true });
    const wanted = (await project.getConfig()).onboarding.requireEmailVerification;
    const overridden = await project.getConfigOverride("environment");
    await project.resetConfigOverrideKeys("environment", ["onboarding"]);
    const reset = await project.getConfigOverride("environment");
    await project.replaceConfigOverride("project", { "project.requirePublishableClientKey": false });
    return {
      why: [before, (await app.listInternalApiKeys()).find((one) => one.id === key.id).whyInvalid()],
      config: [wanted, overridden, reset, await project.getConfigOverride("project")],
      user,
      project: [project.id, project.config.credentialEnabled, project.config.oauthProviders.map((one) => one.id)],
      key: [key.publishableClientKey.slice(0, 4), key.secretServerKey.slice(0, 4), key.superSecretAdminKey ?? null],
      works,
      lastFour: listed.secretServerKey.lastFour === key.secretServerKey.slice(-4),
      valid: (await app.listInternalApiKeys()).find((one) => one.id === key.id).isValid(),
    };
  },

  async channels() {
    const user = await server.createUser({ primaryEmail: given.email });
    await user.setPrimaryEmail("first-" + given.email, { verified: true });
    const made = await user.createContactChannel({
      type: "email",
      value: "second-" + given.email,
      usedForAuth: true,
      isVerified: true,
    });
    const me = await (await signedIn(user)).getUser();
    const mine = await me.createContactChannel({ type: "email", value: "third-" + given.email, usedForAuth: false });
    const listed = await me.listContactChannels();
    await mine.delete();
    await made.update({ isPrimary: true });
    return {
      listed: listed.map((one) => [one.value, one.isPrimary, one.isVerified, one.usedForAuth]),
      left: (await user.listContactChannels()).length,
      primary: (await server.getUser(user.id)).primaryEmail,
    };
  },

  async teams() {
    const user = await server.createUser({ displayName: "Ada" });
    const team = await server.createTeam({ displayName: "One", creatorUserId: user.id });
    const app = await signedIn(user);
    const me = await app.getUser();
    const refused = await outcome(() => me.createTeam({ displayName: "Two" }));
    const listed = (await me.listTeams()).map((one) => one.displayName);
    await me.setSelectedTeam(team.id);
    const selected = (await server.getUser(user.id)).selectedTeam?.displayName;
    await team.update({ displayName: "Renamed" });
    const renamed = (await server.getTeam(team.id)).displayName;
    const other = await server.createUser({ displayName: "Bob" });
    await team.addUser(other.id);
    const members = (await other.listTeams()).map((one) => one.id === team.id);
    const all = (await server.listTeams()).some((one) => one.id === team.id);
    const people = (await server.listUsers({ teamId: team.id })).map((one) => one.id);
    await team.removeUser(other.id);
    await me.leaveTeam(await me.getTeam(team.id));
    const after = await user.listTeams();
    await team.delete();
    return {
      refused: refused.error?.message ?? null,
      listed,
      selected,
      renamed,
      members,
      all,
      people: [people.length, people.includes(other.id)],
      after: after.length,
      gone: await server.getTeam(team.id),
    };
  },

  async tokens() {
    const user = await server.createUser({ displayName: "Ada", primaryEmail: given.email });
    const app = await signedIn(user);
    const me = await app.getUser();
    await user.setClientReadOnlyMetadata({ plan: "free" });
    await me.setClientMetadata({ a: 1 });
    await me.setPassword({ password: "a first password" });
    const partial = await app.getPartialUser({ from: "token" });
    const headers = await me.getAuthHeaders();
    const json = await me.getAuthJson();
    return {
      partial: [partial.id === user.id, partial.displayName, partial.primaryEmail, partial.isAnonymous],
      headers: Object.keys(headers),
      json: Object.keys(json).sort(),
      same: json.accessToken === (await me.getAccessToken()) && json.refreshToken === (await me.getRefreshToken()),
      client: me.toClientJson().id === user.id,
      after: [(await server.getUser(user.id)).hasPassword, (await server.getUser(user.id)).clientReadOnlyMetadata],
      current: (await (await serverFor(app)).getUser()).id === user.id,
    };
  },

  async owning() {
    // The project is `internal`: its users make projects and speak to them as their owners.
    const app = client();
    await app.signUpWithCredential({
      email: given.email,
      password: "correct horse battery",
      noRedirect: true,
      noVerificationCallback: true,
    });
    const me = await app.getUser();
    const team = (await me.listTeams())[0];
    const project = await me.createProject({ displayName: "Mine", teamId: team.id, isProductionMode: false });
    const owned = await me.listOwnedProjects();
    await project.update({ displayName: "Still mine", config: { signUpEnabled: false } });
    const own = project.app;
    const inside = await own.createUser({ displayName: "Inside", primaryEmail: given.email });
    const fresh = await own.getProject();
    await fresh.delete();
    return {
      owned: owned.map((one) => one.id === project.id),
      inside: inside.displayName,
      fresh: [fresh.displayName, fresh.config.signUpEnabled, fresh.config.credentialEnabled, fresh.config.allowLocalhost],
      left: (await outcome(() => own.getProject())).error !== undefined,
    };
  },
};

report(await scenarios[given.scenario]());
