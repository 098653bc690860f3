import { expect, test } from "vitest";
import type { Insight, Insights } from "../api/types";
import { foremost, insightName } from "./insights";

const insight = (kind: Insight["kind"], metric_ids: readonly string[] = [], product: string | null = null) =>
  ({ kind, metric_ids, product }) as unknown as Insight;

const NAMES = {
  metrics: new Map([["downloads:lance:python", { display_name: "Lance for Python (PyPI)" }]]),
  productNames: new Map([["lance", "Lance"]]),
};

test("the page shows the insights that the API chose, in its order", () => {
  const body = { insights: [insight("headline"), insight("spike"), insight("record")], foremost: [2, 1] };
  expect(foremost(body as unknown as Insights).map(({ kind }) => kind)).toEqual(["record", "spike"]);
});

test("an API that is older than the page and chooses none does not break it", () => {
  expect(foremost({ insights: [insight("spike")] })).toEqual([]);
});

test("an insight is about its only metric, else about its product, else about all", () => {
  expect(insightName(insight("spike", ["downloads:lance:python"]), NAMES)).toBe("Lance for Python");
  expect(insightName(insight("record", ["a", "b"], "lance"), NAMES)).toBe("Lance");
  expect(insightName(insight("silence"), NAMES)).toBe("All products");
});
