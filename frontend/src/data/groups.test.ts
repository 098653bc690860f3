import { expect, test } from "vitest";
import { DEFAULT_VIEW } from "../view/view";
import { dashboard, metric, week } from "./fixtures";
import { chartGroups, chartMetrics, hasValue, unknownIds } from "./groups";
import { shortName } from "./naming";

const valued = (id: string, value: number) =>
  metric([week(0, value)], { metric_id: id, metric_family: id.split(":")[0] ?? "", subject: id });

test("each product and family has one chart", () => {
  const body = dashboard(
    valued("downloads:lance:python", 1),
    valued("stars:lance:github", 1),
    valued("downloads:lance:rust", 1),
  );
  expect(chartGroups(body).map((group) => [group.id, group.metrics.length])).toEqual([
    ["downloads:lance", 2],
    ["stars:lance", 1],
  ]);
});

test("values of another unit or window have a chart of their own", () => {
  const views = valued("views:lance:github", 1);
  const visitors = { ...valued("views:lance:visitors", 1), unit: "uniques" };
  const monthly = {
    ...views,
    metric_id: "views:lance:blog",
    source_window: "30d",
    value_kind: "rolling",
  } as const;
  const body = dashboard({ ...views, unit: "views" }, visitors, { ...monthly, unit: "views" });
  expect(chartGroups(body).map((group) => [group.id, group.axis])).toEqual([
    ["views:lance", "views"],
    ["views:lance:uniques", "uniques"],
    ["views:lance:views-30-days", "views, 30 days"],
  ]);
});

test("a chart shows its eight largest series and the series that a user adds", () => {
  const metrics = Array.from({ length: 12 }, (_, index) => valued(`downloads:lance:${index}`, index));
  const view = { ...DEFAULT_VIEW, added: ["downloads:lance:0"] };
  expect(chartMetrics(metrics, view).map((metric) => metric.metric_id)).toEqual(
    [0, 4, 5, 6, 7, 8, 9, 10, 11].map((index) => `downloads:lance:${index}`),
  );
});

test("an unknown id in a link is reported once", () => {
  const view = { ...DEFAULT_VIEW, hidden: ["nope"], compared: ["nope", "downloads:lance:python"] };
  expect(unknownIds(dashboard(metric([])), view)).toEqual(["nope"]);
});

test("two packages of one SDK are named by their subject", () => {
  const pylance = metric([], { metric_id: "a", subject: "pylance" });
  const tools = metric([], { metric_id: "b", subject: "lance-tools" });
  expect(shortName(pylance, [pylance])).toBe("Python");
  expect(shortName(pylance, [pylance, tools])).toBe("pylance");
});

test("a chart has a value where one of its series has one, of a week that is not over too", () => {
  const empty = metric([week(0, null)]);
  expect(hasValue({ metrics: [empty] })).toBe(false);
  expect(hasValue({ metrics: [empty, metric([week(0, 0)])] })).toBe(true);
  const running = { ...week(1, 3, { complete: false }), partial: true as const };
  expect(hasValue({ metrics: [{ ...empty, running }] })).toBe(true);
});
