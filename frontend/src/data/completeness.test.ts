import { expect, test } from "vitest";
import type { Freshness } from "../api/types";
import { neverFetched, staleSources } from "./completeness";
import { dashboard } from "./fixtures";

const FRESHNESS: Freshness = {
  ...dashboard().freshness,
  sources: [
    { source: "crates", newest_day: "2026-11-22", is_stale: false, stale_from: "2026-12-03T00:00:00Z" },
    { source: "npm", newest_day: null, is_stale: false, stale_from: null },
  ],
};

function staleAt(instant: string): readonly string[] {
  return staleSources(FRESHNESS, Date.parse(instant)).map((one) => one.source);
}

test("a kept body is stale from the instant that it names", () => {
  expect(staleAt("2026-12-02T23:59:59Z")).toEqual([]);
  expect(staleAt("2026-12-03T00:00:00Z")).toEqual(["crates"]);
});

test("a source of which nothing was fetched is named, and is not stale", () => {
  expect(neverFetched(FRESHNESS)).toEqual(["npm"]);
});
