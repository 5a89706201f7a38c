// PocketBase's settings for the benchmark, as a migration, which is how its documentation keeps settings with a program:
// one OpenID Connect provider (PROVIDER is its address), a superuser, and no log of requests, as the other servers have
// none. Without a userInfoURL it takes the claims from the id_token, which saves it a call: its quickest way. Everything
// else is as it comes. https://pocketbase.io/docs/js-migrations/
migrate((app) => {
  const provider = $os.getenv("PROVIDER");
  const users = app.findCollectionByNameOrId("users");
  users.oauth2.enabled = true;
  users.oauth2.providers = [
    {
      name: "oidc",
      clientId: "benchmark",
      clientSecret: "benchmark-secret",
      authURL: `${provider}/google/o/oauth2/v2/auth`,
      tokenURL: `${provider}/google/token`,
      userInfoURL: "",
      pkce: true,
    },
  ];
  app.save(users);

  const settings = app.settings();
  settings.logs.maxDays = 0;
  app.save(settings);

  const superuser = new Record(app.findCollectionByNameOrId("_superusers"));
  superuser.set("email", "superuser@example.com");
  superuser.set("password", "a password of the benchmark");
  app.save(superuser);
});
