import { expect, test } from "vitest";
import { comparePath, seriesPath } from "./paths";

const NOW = Date.parse("2027-01-20T12:00:00Z");

test.each([1, 3, 8, 9, 40])(
  "%i series by day over all time stay within what the API puts into a body",
  (count) => {
    const ids = Array.from({ length: count }, (_, index) => `downloads:p:m${index}`);
    const days = Number(/days=(\d+)/.exec(seriesPath(ids, "day", "all", NOW))?.[1]);
    expect(days * count).toBeLessThanOrEqual(30_000);
    expect(days).toBeGreaterThanOrEqual(730);
  },
);

test("a range of dates reads a year more, which is drawn behind it", () => {
  const range = { from: "2024-01-01", to: "2024-12-31" };
  const weeks = Number(/weeks=(\d+)/.exec(seriesPath(["a"], "week", range, NOW))?.[1]);
  expect(weeks).toBeGreaterThanOrEqual(159 + 52);
});

test("a comparison says from which day it is, except of all days", () => {
  expect(comparePath(["a:b", "c"], "12w", "2027-01-17")).toBe(
    "/compare?metric_id=a%3Ab&metric_id=c&from=2026-10-26",
  );
  expect(comparePath(["a"], "all", "2027-01-17")).toBe("/compare?metric_id=a");
});

test("a comparison of a range of dates is of no day after it, and never asks for one to come", () => {
  const until = (to: string) => comparePath(["a"], { from: "2026-10-01", to }, "2027-01-17");
  expect(until("2026-11-30")).toBe("/compare?metric_id=a&from=2026-10-01&to=2026-11-30");
  expect(until("2027-01-31")).toBe("/compare?metric_id=a&from=2026-10-01");
});
