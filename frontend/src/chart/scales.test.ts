import { scaleLinear, scaleLog } from "d3-scale";
import { expect, test } from "vitest";
import { yTicks } from "./scales";

test("an axis has few values, and a logarithmic one has round ones", () => {
  expect(yTicks(scaleLinear([0, 1_300], [0, 1]).nice(4))).toEqual([0, 500, 1_000, 1_500]);
  expect(yTicks(scaleLog([8, 1_500_000], [0, 1]))).toEqual([10, 100, 1_000, 10_000, 100_000, 1_000_000]);
  expect(yTicks(scaleLog([90_000, 1_300_000], [0, 1]))).toEqual([100_000, 200_000, 500_000, 1_000_000]);
  expect(yTicks(scaleLog([610, 940], [0, 1])).length).toBeGreaterThan(1);
});
