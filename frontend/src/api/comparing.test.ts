import { expect, test } from "vitest";
import { comparisonAt } from "./comparing";
import table from "./comparisons.json";
import type { Comparable } from "./types";

const parts = table.parts as unknown as Comparable;

test("a copy without a server says of any series what the API says", () => {
  expect(table.cases.length).toBeGreaterThan(50);
  for (const { path, ...said } of table.cases) {
    const { metrics, refused, axes, advice, period_start, period_end } = comparisonAt(path, parts);
    const ids = metrics.map(({ metric_id }) => metric_id);
    expect({ metrics: ids, refused, axes, advice, period_start, period_end }, path).toEqual(said);
  }
});

test("a series that the copy does not have is named", () => {
  expect(() => comparisonAt("/compare?metric_id=x", parts)).toThrow("does not have the metric x");
});

test("days that end before they begin are an error", () => {
  const path = `/compare?metric_id=${encodeURIComponent(parts.metrics[0]?.metric_id ?? "")}&from=2026-11-20`;
  expect(() => comparisonAt(`${path}&to=2026-11-01`, parts)).toThrow("begin on 2026-11-20, after 2026-11-01");
});
