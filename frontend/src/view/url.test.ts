import { describe, expect, it, test } from "vitest";
import { isDay, parseView, serializeView } from "./url";
import { DEFAULT_VIEW, type View } from "./view";

const EVERYTHING: View = {
  week: "2026-W47",
  product: "lance",
  grain: "day",
  range: { from: "2026-01-01", to: "2026-06-30" },
  sum: "cumulative",
  scale: "log",
  unit: "indexed",
  hidden: ["downloads:lance:rust"],
  added: ["downloads:lancedb:nodejs"],
  compared: ["stars:lance:github", "stars:lancedb:github"],
  aligned: true,
  tables: ["downloads:lance"],
  sorts: {
    products: { column: "change", descending: true },
    "downloads:lance": { column: "period", descending: false },
  },
  grouping: "trend",
  iso: true,
};

test("the default view has an empty query string", () => {
  expect(serializeView(DEFAULT_VIEW)).toBe("");
  expect(parseView("")).toEqual({ view: DEFAULT_VIEW, invalidParameters: [] });
});

test("every part of a view survives the round trip through the URL", () => {
  expect(parseView(serializeView(EVERYTHING))).toEqual({ view: EVERYTHING, invalidParameters: [] });
});

test("a query string is readable", () => {
  const view = { ...DEFAULT_VIEW, hidden: ["downloads:lance:rust", "a&b"] };
  expect(serializeView(view)).toBe("?hide=downloads:lance:rust,a%26b");
});

describe("an invalid parameter is reported and its default is used", () => {
  it.each([
    "by=hour",
    "range=forever",
    "range=2026-02-31..2026-03-01",
    "range=2026-03-01..2026-02-01",
    "scale=",
    "sort=up",
    "week=2026-W54",
  ])("%s", (search) => {
    const { view, invalidParameters } = parseView(`?${search}`);
    expect(view).toEqual(DEFAULT_VIEW);
    expect(invalidParameters).toHaveLength(1);
    expect(invalidParameters[0]).toContain(search);
  });
});

test("an unknown parameter is ignored", () => {
  expect(parseView("?utm_source=mail").invalidParameters).toEqual([]);
});

test("a repeated id counts once, and a link has at most 40 ids", () => {
  const many = Array.from({ length: 100 }, (_, index) => `m${index}`).join(",");
  expect(parseView("?compare=a,a,b").view.compared).toEqual(["a", "b"]);
  expect(parseView(`?compare=${many}`).view.compared).toHaveLength(40);
});

test.each([
  ["2026-02-28", true],
  ["2026-02-29", false],
  ["2028-02-29", true],
  ["2026-2-1", false],
  ["yesterday", false],
])("%s is a day: %s", (text, expected) => {
  expect(isDay(text)).toBe(expected);
});
