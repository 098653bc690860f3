import { expect, test } from "vitest";
import { assignColours, seriesSymbol } from "./colours";
import { shortLabel, spreadLabels } from "./labels";

test("an SDK has the same colour in every chart", () => {
  expect(assignColours(["python", "rust"])).toEqual([0, 1]);
  expect(assignColours(["rust", "nodejs", "python"])).toEqual([1, 2, 0]);
});

test("up to eight series have different colours and marks", () => {
  const sdks = ["python", "python", "rust", "rust", null, null, "go", "go"];
  expect(new Set(assignColours(sdks)).size).toBe(8);
  expect(new Set(sdks.map((_, index) => seriesSymbol(index))).size).toBe(8);
});

test("labels do not overlap and stay inside the chart", () => {
  expect(spreadLabels([50, 52, 10], 14, 0, 100)).toEqual([50, 64, 10]);
  expect(spreadLabels([98, 99], 14, 0, 100)).toEqual([86, 100]);
});

test("a line's label is shortened", () => {
  expect(shortLabel("LanceDB stars (GitHub lancedb/lancedb)")).toBe("LanceDB stars");
  expect(shortLabel("@lancedb/lancedb-linux")).toBe("@lancedb/lan…");
});
