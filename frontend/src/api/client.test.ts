import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { fetchApi } from "./client";

let server: Server | undefined;

async function serving(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((done) => server?.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function asking(baseUrl: string, timeoutMs = 2_000): Promise<unknown> {
  return fetchApi("/status", { baseUrl, timeoutMs, now: () => 7, cacheMode: "no-cache" });
}

afterEach(() => server?.closeAllConnections());
afterEach(() => server?.close());

test("an answer carries the instant it came", async () => {
  const url = await serving((_, answer) => answer.end('{"is_stale":false}'));
  expect(await asking(url)).toEqual({ body: { is_stale: false }, receivedAt: 7, problem: null });
});

test("a problem of the API keeps its kind, its words and the ids that are near", async () => {
  const body = {
    type: "https://x.example/api.md#unknown-metric",
    detail: "No metric.",
    near: ["stars:lance:github"],
  };
  const url = await serving((_, answer) => answer.writeHead(404).end(JSON.stringify(body)));
  const problem = { kind: "unknown", message: "No metric.", suggestions: ["stars:lance:github"] };
  await expect(asking(url)).rejects.toMatchObject(problem);
});

test("a proxy's page is a failure with its status", async () => {
  const url = await serving((_, answer) => answer.writeHead(502).end("<html>Bad gateway"));
  await expect(asking(url)).rejects.toMatchObject({
    kind: "failed",
    message: "The API answered 502 Bad Gateway",
  });
});

test("no answer in time is too slow", async () => {
  const url = await serving(() => undefined);
  await expect(asking(url, 50)).rejects.toMatchObject({ kind: "too-slow" });
});

test("a port that nobody listens on is unreachable", async () => {
  const url = await serving(() => undefined);
  await new Promise((done) => server?.close(done));
  await expect(asking(url)).rejects.toMatchObject({ kind: "unreachable" });
});
