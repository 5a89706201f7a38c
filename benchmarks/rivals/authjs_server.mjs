// Auth.js as its documentation sets it up for Express: the PostgreSQL adapter, hence sessions in the database.
// Arguments: port, database URL, the provider's address, a key that the application's own requests carry.
// https://authjs.dev/getting-started/installation?framework=express https://authjs.dev/getting-started/adapters/pg
import { ExpressAuth } from "@auth/express";
import PostgresAdapter from "@auth/pg-adapter";
import express from "express";
import pg from "pg";
import { linkRoute } from "./links.mjs";

const [port, database, provider, serverKey] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: database, max: 6 });

// The adapter's tables, and the indexes that its documentation leaves to the operator: without them each check reads all
// sessions.
await pool.query(`
  CREATE TABLE IF NOT EXISTS verification_token (
    identifier text NOT NULL, expires timestamptz NOT NULL, token text NOT NULL, PRIMARY KEY (identifier, token)
  );
  CREATE TABLE IF NOT EXISTS users (
    id serial PRIMARY KEY, name varchar(255), email varchar(255), "emailVerified" timestamptz, image text
  );
  CREATE TABLE IF NOT EXISTS accounts (
    id serial PRIMARY KEY, "userId" integer NOT NULL, type varchar(255) NOT NULL, provider varchar(255) NOT NULL,
    "providerAccountId" varchar(255) NOT NULL, refresh_token text, access_token text, expires_at bigint, id_token text,
    scope text, session_state text, token_type text
  );
  CREATE TABLE IF NOT EXISTS sessions (
    id serial PRIMARY KEY, "userId" integer NOT NULL, expires timestamptz NOT NULL, "sessionToken" varchar(255) NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS users_email ON users (email);
  CREATE UNIQUE INDEX IF NOT EXISTS accounts_known ON accounts (provider, "providerAccountId");
  CREATE UNIQUE INDEX IF NOT EXISTS sessions_token ON sessions ("sessionToken");
`);

const adapter = PostgresAdapter(pool);
const config = {
  adapter,
  secret: "a secret of the benchmark, of more than thirty-two bytes",
  trustHost: true,
  providers: [
    {
      id: "benchmark",
      name: "Benchmark",
      type: "oidc",
      issuer: "https://accounts.google.com",
      clientId: "benchmark",
      clientSecret: "benchmark-secret",
      // Its endpoints by name, which saves it the provider's metadata at each sign-in.
      authorization: `${provider}/google/o/oauth2/v2/auth`,
      token: `${provider}/google/token`,
      userinfo: `${provider}/google/v1/userinfo`,
      checks: ["pkce", "state"],
    },
  ],
  callbacks: {
    session({ session, user }) {
      return { expires: session.expires, user: { id: user.id, name: user.name, email: user.email } };
    },
  },
};

const app = express();
app.post(
  "/links",
  linkRoute(serverKey, (account) => adapter.linkAccount(account)),
);
app.use("/auth/*", ExpressAuth(config));
app.listen(Number(port), "127.0.0.1");
