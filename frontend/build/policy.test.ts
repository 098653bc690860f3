import { expect, test } from "vitest";
import { apiOrigin, buildPolicy, cspHash } from "./policy";

test("the policy allows only the API's origin", () => {
  const policy = buildPolicy({ api: "https://metrics-api.example.org", inlineScripts: [], inlineStyles: [] });
  expect(policy).toContain("connect-src 'self' https://metrics-api.example.org;");
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain("unsafe");
  expect(policy).not.toContain("*");
});

test("the policy allows an inline text by its hash", () => {
  // the hash in the W3C's example
  const hash = "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='";
  expect(cspHash("alert('Hello, world.');")).toBe(hash);
  expect(buildPolicy({ api: "", inlineScripts: ["alert('Hello, world.');"], inlineStyles: [] })).toContain(
    hash,
  );
});

test.each([
  "metrics.example.org",
  "https://a.example/api",
  "https://user:key@a.example",
  "ftp://a.example",
  "https://a.example; script-src *",
])("%s is not an API origin", (text) => {
  expect(() => apiOrigin(text)).toThrow("VITE_API_BASE_URL");
});

test.each([
  ["", ""],
  ["https://a.example", "https://a.example"],
  ["https://a.example/", "https://a.example"],
  ["http://127.0.0.1:8000", "http://127.0.0.1:8000"],
])("%j has the origin %j", (text, origin) => {
  expect(apiOrigin(text)).toBe(origin);
});
