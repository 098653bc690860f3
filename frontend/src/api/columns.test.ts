import { expect, test } from "vitest";
import { dashboard, metric, week } from "../data/fixtures";
import { inRows } from "./columns";
import type { SentDashboard, WeekPoint } from "./types";

const POINTS = [week(0, 4), week(1, null), week(2, 6, { estimated: true, fallback_id: "x" })];

/** Returns these weeks as the API sends them, with some columns replaced; `undefined` leaves one out. */
function sent(points: readonly WeekPoint[], columns: object = {}, periods: object = {}): SentDashboard {
  const { products, ...rest } = dashboard(metric(points));
  const column = (name: keyof WeekPoint) => points.map((point) => point[name]);
  const names = Object.keys(week(0, 1)) as (keyof WeekPoint)[];
  const lists = Object.fromEntries(names.map((name) => [name, column(name)]));
  const { week: labels, period_start, period_end, ...fields } = lists;
  const metrics = products[0]?.metrics.map((one) => ({ ...one, points: { ...fields, ...columns } }));
  return {
    ...rest,
    periods: { week: labels, period_start, period_end, ...periods },
    products: [{ ...products[0], metrics }],
  } as unknown as SentDashboard;
}

const pointsOf = (body: SentDashboard) => inRows(body).products[0]?.metrics[0]?.points;

test("the points are those of the columns, and the rest of the dashboard stays", () => {
  expect(inRows(sent(POINTS))).toEqual(dashboard(metric(POINTS)));
});

test("an item without a list belongs to every period", () => {
  const shared = { status: "final", observed_at: null, duplicated: false, days_expected: 7 };
  const expected = POINTS.map((point) => ({ ...point, status: "final", observed_at: null }));
  expect(pointsOf(sent(POINTS, shared))).toEqual(expected);
});

test("one period has one point", () => {
  expect(pointsOf(sent([week(0, 4)], { complete: true }))).toEqual([week(0, 4)]);
});

test.each([
  [{ status: ["final", "final"] }, "The column status of downloads:lance:python has 2 items for 3 periods."],
  [{ status: [] }, "The column status of downloads:lance:python has 0 items for 3 periods."],
  [{ value: [1, 2, 3, 4] }, "The column value of downloads:lance:python has 4 items for 3 periods."],
  [{ value: 4 }, "The column value of downloads:lance:python is not a list."],
  [{ complete: undefined }, "The column complete of downloads:lance:python is missing."],
])("columns %j are rejected", (columns, message) => {
  expect(() => inRows(sent(POINTS, columns))).toThrow(message);
});

test.each([
  [{ week: ["2026-W37"] }, "The list week of the periods has 1 items for 3 periods."],
  [{ period_end: "2026-09-13" }, "The list period_end of the periods is not a list."],
  [{ period_start: undefined }, "The dashboard has no periods."],
])("periods %j are rejected", (periods, message) => {
  expect(() => inRows(sent(POINTS, {}, periods))).toThrow(message);
});

test("a dashboard of an older API, with a row for each point, is rejected", () => {
  const body = dashboard(metric(POINTS)) as unknown as SentDashboard;
  expect(() => inRows(body)).toThrow("The dashboard has no periods.");
});
