import { expect, test } from "vitest";
import type { ChartPoint } from "../data/chart-data";
import { week } from "../data/fixtures";
import { createFormats } from "../format/format";
import { disputeNotes } from "./describe";

const format = createFormats("en-GB", false);
const dispute = {
  metric_id: "downloads:lance:python",
  value: 500,
  witness: "clickpy",
  witness_value: 1_000,
};

test("the tooltip has both values of each disputed day of its period, and of no other", () => {
  const point = { api: week(0, 5_000) } as ChartPoint;
  const days = ["2026-09-06", "2026-09-09", "2026-09-14"].map((day) => ({ ...dispute, day }));
  expect(disputeNotes(point, days, format)).toEqual([
    `disputed on ${format.day("2026-09-09")}: 500, clickpy counts 1,000`,
  ]);
});
