// What the two libraries for Node lack: a request by which an application's server links an account. Both have only the
// insert that their own requests end in; this route is that insert and nothing else, for whoever has the key.
import { timingSafeEqual } from "node:crypto";

export function linkRoute(serverKey, insert) {
  const key = Buffer.from(serverKey);
  return async function link(request, response) {
    const said = Buffer.from(request.headers["x-server-key"] ?? "");
    if (said.length !== key.length || !timingSafeEqual(said, key)) {
      response.writeHead(401).end();
      return;
    }
    const parts = [];
    for await (const part of request) parts.push(part);
    const made = await insert(JSON.parse(Buffer.concat(parts).toString()));
    response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(made));
  };
}
