/** The built files: their size, and that they contain no secrets. */
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "@playwright/test";

const KB = 1_000;
const DIST = "dist";
const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => `${file.parentPath}/${file.name}`);

function gzippedSize(names: readonly string[]): number {
  return names.reduce((sum, name) => sum + gzipSync(readFileSync(name), { level: 9 }).length, 0);
}

test("JavaScript is at most 130 KB in total and 60 KB before the first number", () => {
  const scripts = files(DIST).filter((name) => name.endsWith(".js") && !name.startsWith(`${DIST}/static/`));
  const page = readFileSync(`${DIST}/index.html`, "utf8");
  const first = scripts.filter((name) => page.includes(name.slice(DIST.length)));
  expect(first).toHaveLength(1);
  expect(gzippedSize(scripts)).toBeLessThanOrEqual(130 * KB);
  expect(gzippedSize(first)).toBeLessThanOrEqual(60 * KB);
});

const SECRETS: readonly [string, RegExp][] = [
  ["an AWS key", /\b(AKIA|ASIA)[0-9A-Z]{16}\b/],
  ["a GitHub token", /\b(gh[pousr]_\w{20,}|github_pat_\w{20,})/],
  ["a LanceDB key or address", /sk_[A-Za-z0-9]{16,}|db:\/\/\w/],
  ["a bearer token", /bearer\s+[\w.-]{16,}/i],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY/],
  ["an assignment of a secret", /(api[_-]?key|secret|password|token)["']?\s*[:=]\s*["'][^"']{12,}["']/i],
  [
    "an internal address",
    /\b(10\.\d{1,3}|192\.168|172\.(1[6-9]|2\d|3[01])|169\.254)\.\d{1,3}\.\d{1,3}\b|\blocalhost\b|127\.0\.0\.1|\.(internal|local)\b(?=[/:"'`])/,
  ],
  ["a path of a developer's machine", /\/(home|root|Users|work|tmp)\/[\w.-]+/],
];

for (const [kind, pattern] of SECRETS) {
  test(`the bundle does not contain ${kind}`, () => {
    for (const name of files(DIST)) {
      expect(pattern.exec(readFileSync(name, "utf8"))?.[0] ?? null, name).toBeNull();
    }
  });
}

test("each pattern finds an example of its secret", () => {
  const examples = [
    ...["AKIAIOSFODNN7EXAMPLE", `ghp_${"a".repeat(36)}`, "db://metrics", `Bearer ${"x".repeat(20)}`],
    ...[
      "-----BEGIN PRIVATE KEY-----",
      'apiKey: "abcdefghijklmnop"',
      "http://10.0.3.7:8000",
      "/home/me/project",
    ],
  ];
  SECRETS.forEach(([kind, pattern], index) => {
    expect(pattern.test(examples[index] ?? ""), kind).toBe(true);
  });
});

test("the page with a cross-origin API may connect to that API only", () => {
  const page = readFileSync("dist-cross-origin/index.html", "utf8");
  const policy =
    /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]?.replaceAll("&#39;", "'") ?? "";
  expect(policy).toContain("connect-src 'self' http://127.0.0.1:24170;");
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*/);
});

interface VercelRoute {
  handle?: string;
  src?: string;
  headers?: Record<string, string>;
}

/** Returns the headers that Vercel sends for a path: routes after `"handle": "hit"` apply only if a file exists. */
function vercelHeaders(path: string, { exists }: { exists: boolean }): Record<string, string> {
  const { routes } = JSON.parse(readFileSync("vercel.json", "utf8")) as { routes: VercelRoute[] };
  const hit = routes.findIndex((route) => route.handle === "hit");
  const applied = exists ? routes : routes.slice(0, hit);
  const matching = applied.filter((route) => route.src && new RegExp(`^${route.src}$`).test(path));
  return Object.assign({}, ...matching.map((route) => route.headers));
}

test("vercel.json sends the headers that a page cannot set itself", () => {
  const sent = vercelHeaders("/", { exists: true });
  expect(sent["Content-Security-Policy"]).toContain("frame-ancestors 'none'");
  expect(sent["Strict-Transport-Security"]).toContain("max-age=");
  expect(sent["X-Content-Type-Options"]).toBe("nosniff");
  expect(sent["Referrer-Policy"]).toBe("no-referrer");
  expect(sent["Cross-Origin-Opener-Policy"]).toBe("same-origin");
  expect(sent["Permissions-Policy"]).toContain("camera=()");
});

test("on Vercel a file below /assets/ is cached for a year and a 404 there is not", () => {
  const file = vercelHeaders("/assets/index-a1b2.js", { exists: true });
  const missing = vercelHeaders("/assets/index-gone.js", { exists: false });
  expect(file["Cache-Control"]).toBe("public, max-age=31536000, immutable");
  expect(missing["Cache-Control"]).toBeUndefined();
  expect(missing["X-Content-Type-Options"]).toBe("nosniff");
  expect(vercelHeaders("/", { exists: true })["Cache-Control"]).toBeUndefined();
});
