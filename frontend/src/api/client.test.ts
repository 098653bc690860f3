import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { fetchApi } from "./client";

let server: Server | undefined;

async function startServer(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((done) => server?.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function fetchFrom(baseUrl: string, timeoutMs = 2_000): Promise<unknown> {
  return fetchApi("/status", { baseUrl, timeoutMs, now: () => 7, cacheMode: "no-cache" });
}

afterEach(() => server?.closeAllConnections());
afterEach(() => server?.close());

test("a response has the time it was received", async () => {
  const url = await startServer((_, response) => response.end('{"is_stale":false}'));
  expect(await fetchFrom(url)).toEqual({ body: { is_stale: false }, receivedAt: 7, problem: null });
});

test("a dashboard that the page cannot read is a problem, not an outage", async () => {
  const url = await startServer((_, response) => response.end('{"products":[]}'));
  const options = { baseUrl: url, timeoutMs: 2_000, now: () => 7, cacheMode: "no-cache" } as const;
  await expect(fetchApi("/dashboard/weekly?weeks=1", options)).rejects.toMatchObject({
    kind: "malformed",
    message: "The dashboard has no periods.",
  });
});

test("an API problem has its kind, its message and the suggested ids", async () => {
  const body = {
    type: "https://x.example/api.md#unknown-metric",
    detail: "No metric.",
    near: ["stars:lance:github"],
  };
  const url = await startServer((_, response) => response.writeHead(404).end(JSON.stringify(body)));
  const problem = { kind: "not-found", message: "No metric.", suggestions: ["stars:lance:github"] };
  await expect(fetchFrom(url)).rejects.toMatchObject(problem);
});

test("a proxy's error page is a failure with its status", async () => {
  const url = await startServer((_, response) => response.writeHead(502).end("<html>Bad gateway"));
  await expect(fetchFrom(url)).rejects.toMatchObject({
    kind: "failed",
    message: "The API returned 502 Bad Gateway",
  });
});

test("no response in time is a timeout", async () => {
  const url = await startServer(() => undefined);
  await expect(fetchFrom(url, 50)).rejects.toMatchObject({ kind: "timeout" });
});

test("a closed port is unreachable", async () => {
  const url = await startServer(() => undefined);
  await new Promise((done) => server?.close(done));
  await expect(fetchFrom(url)).rejects.toMatchObject({ kind: "unreachable" });
});
