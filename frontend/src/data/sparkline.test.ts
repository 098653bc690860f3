import { expect, test } from "vitest";
import { sparkline } from "./sparkline";

test("a sparkline starts at zero, so that its height is the value", () => {
  expect(sparkline([50, 100], [null, null])).toEqual({
    measured: "M0 50L100 0",
    estimated: "",
    last: { x: 100, y: 0 },
  });
});

test("a gap stays open, and a week between two gaps is a point", () => {
  const { measured, last } = sparkline([10, null, 5, null, 10, 10, null], Array(7).fill(null));
  expect(measured).toBe("M0 0h0M33.3 50h0M66.7 0L83.3 0");
  expect(last).toEqual({ x: 83.3, y: 0 });
});

test("estimates have a line of their own, on the same scale", () => {
  expect(sparkline([null, 50], [100, null])).toMatchObject({ measured: "M100 50h0", estimated: "M0 0h0" });
});

test("a series of zeros lies on the ground and one without values has no line", () => {
  expect(sparkline([0, 0], [null, null]).measured).toBe("M0 100L100 100");
  expect(sparkline([null, null], [null, null])).toEqual({ measured: "", estimated: "", last: null });
});
