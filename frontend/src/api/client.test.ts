import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
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

// numbers saved in the browser

/** The browser's Cache Storage as far as the page uses it: Node has none. */
function stubCacheStorage(): void {
  const saved = new Map<string, Response>();
  const cache = {
    put: async (url: string, response: Response) => void saved.set(url, response),
    match: async (url: string) => saved.get(url)?.clone(),
  };
  vi.stubGlobal("caches", { open: async () => cache });
}

afterEach(() => vi.unstubAllGlobals());

const slug = (name: string) => JSON.stringify({ type: `https://x.example/api.md#${name}`, detail: "No." });

test.each([
  { status: 502, sent: "<html>Bad gateway", kind: "failed", isKept: true },
  { status: 503, sent: slug("overloaded"), kind: "failed", isKept: true },
  { status: 500, sent: slug("internal-error"), kind: "failed", isKept: true },
  { status: 0, sent: "", kind: "timeout", isKept: true },
  { status: 401, sent: slug("token-required"), kind: "token-required", isKept: false },
  { status: 404, sent: slug("unknown-metric"), kind: "not-found", isKept: false },
  { status: 404, sent: slug("unknown-product"), kind: "not-found", isKept: false },
  { status: 503, sent: slug("storage-not-ready"), kind: "not-ready", isKept: false },
])("$kind ($status): saved numbers are shown: $isKept", async ({ status, sent, kind, isKept }) => {
  stubCacheStorage();
  let isDown = false;
  const url = await startServer((_, response) => {
    if (!isDown) response.end('{"is_stale":false}');
    else if (status > 0) response.writeHead(status).end(sent);
  });
  const at = (now: number) =>
    fetchApi("/status", { baseUrl: url, timeoutMs: 300, now: () => now, cacheMode: "no-cache" });
  await at(7);
  isDown = true;
  const later = at(90_000);
  if (!isKept) return expect(later).rejects.toMatchObject({ kind });
  // the time of the response that was saved, or old numbers would look fresh
  return expect(later).resolves.toMatchObject({
    body: { is_stale: false },
    receivedAt: 7,
    problem: { kind },
  });
});

test("without saved numbers an outage is a problem", async () => {
  stubCacheStorage();
  const url = await startServer((_, response) => response.writeHead(502).end());
  await expect(fetchFrom(url)).rejects.toMatchObject({ kind: "failed" });
});
