// Better Auth as its documentation sets it up for production: the `pg` driver, sessions in the database, the generic
// OAuth plugin. Arguments: port, database URL, the provider's address, a key that the application's own requests carry.
// https://www.better-auth.com/docs/installation
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { genericOAuth } from "better-auth/plugins";
import pg from "pg";
import { linkRoute } from "./links.mjs";

const [port, database, provider, serverKey] = process.argv.slice(2);

const auth = betterAuth({
  baseURL: `http://localhost:${port}`,
  secret: "a secret of the benchmark, of more than thirty-two bytes",
  database: new pg.Pool({ connectionString: database, max: 6 }),
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: "error" },
  account: { accountLinking: { enabled: true } },
  plugins: [
    genericOAuth({
      config: [
        {
          providerId: "benchmark",
          clientId: "benchmark",
          clientSecret: "benchmark-secret",
          discoveryUrl: `${provider}/google/.well-known/openid-configuration`,
          scopes: ["openid", "email", "profile"],
          pkce: true,
        },
      ],
    }),
  ],
});

const { runMigrations } = await getMigrations(auth.options);
await runMigrations();

const { internalAdapter } = await auth.$context;
const library = toNodeHandler(auth);
const link = linkRoute(serverKey, (account) => internalAdapter.linkAccount(account));

createServer((request, response) => {
  const served = request.method === "POST" && request.url === "/links" ? link : library;
  served(request, response).catch((fault) => {
    console.error(fault);
    response.writeHead(500).end();
  });
}).listen(Number(port), "127.0.0.1");
