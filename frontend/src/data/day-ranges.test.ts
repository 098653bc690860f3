import { expect, test } from "vitest";
import { dayRanges } from "./day-ranges";

test("adjoining days are one range, also over the end of a month", () => {
  expect(dayRanges(["2026-10-30", "2026-10-31", "2026-11-01", "2026-11-03"])).toEqual([
    { first: "2026-10-30", last: "2026-11-01" },
    { first: "2026-11-03", last: "2026-11-03" },
  ]);
});

test("no days are no ranges", () => {
  expect(dayRanges([])).toEqual([]);
});
