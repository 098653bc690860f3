import { expect, test } from "vitest";
import { type FrozenAnswer, type FrozenSite, frozenFile, frozenPaths, frozenResponse } from "./frozen";

function site(scripts: Record<string, string>, answers: Record<string, FrozenAnswer> = {}): FrozenSite {
  return {
    as_of: "2027-01-20T09:01:00Z",
    audience: "public",
    newest_week: "2027-W02",
    oldest_week: "2026-W04",
    has_feeds: false,
    scripts,
    answers,
  };
}

const never = () => Promise.reject(new Error("nothing is to be loaded"));

test("a chart is answered by the whole history of each metric, whatever its range", () => {
  expect(frozenPaths("/dashboard/daily?days=730&metric_id=stars%3Aa%3Agithub&metric_id=b")).toEqual([
    "/dashboard/daily?metric_id=stars%3Aa%3Agithub",
    "/dashboard/daily?metric_id=b",
  ]);
  expect(frozenPaths("/dashboard/weekly?weeks=1")).toEqual(["/dashboard/weekly?weeks=1"]);
  expect(frozenPaths("/compare?metric_id=a&metric_id=b&from=2026-01-01")).toEqual(["/compare/parts"]);
  expect(frozenPaths("/before-after?metric_id=a&event_id=b")).toHaveLength(1);
});

test("an answer is loaded from its script once", async () => {
  const answers: Record<string, FrozenAnswer> = {};
  const loaded: string[] = [];
  const load = async (script: string) => {
    loaded.push(script);
    answers["/status"] = { status: 200, body: { runs: [] } };
  };
  const frozen = site({ "/status": "start-2.js" }, answers);
  const first = await frozenResponse("/status", frozen, load);
  await frozenResponse("/status", frozen, load);
  expect(first).toEqual({
    body: { runs: [] },
    receivedAt: Date.parse("2027-01-20T09:01:00Z"),
    problem: null,
  });
  expect(loaded).toEqual(["start-2.js"]);
});

test("what is not in the copy is a problem of its own, and no request", async () => {
  await expect(frozenResponse("/overview?week=2020-W01", site({}), never)).rejects.toMatchObject({
    kind: "not-frozen",
  });
});

test("a problem of the API is frozen too", async () => {
  const body = { type: "https://example.org/problems#unknown-metric", detail: "No metric x.", near: ["y"] };
  const frozen = site({ "/status": "s.js" }, { "/status": { status: 404, body } });
  await expect(frozenResponse("/status", frozen, never)).rejects.toMatchObject({
    kind: "not-found",
    message: "No metric x.",
    suggestions: ["y"],
  });
});

test("a script that lacks its answer, and a folder that lacks its index, are named", async () => {
  const load = () => Promise.resolve();
  await expect(frozenResponse("/a", site({ "/a": "a.js" }), load)).rejects.toThrow("a.js does not have /a");
  await expect(frozenResponse("/a", null, load)).rejects.toThrow("frozen/index.js is missing");
});

test("a colon is no character of a file's name", () => {
  expect(frozenFile("/badge/downloads:a:b.svg")).toBe("./api/v1/badge/downloads~a~b.svg");
});
