import { expect, test } from "vitest";
import { DEFAULT_VIEW } from "../view/view";
import { dashboard, metric, week } from "./fixtures";
import { chartGroups, chartMetrics, unknownIds } from "./groups";
import { shortName } from "./naming";

const named = (id: string, value: number) =>
  metric([week(0, value)], { metric_id: id, metric_family: id.split(":")[0] ?? "", subject: id });

test("one chart for each product and family", () => {
  const body = dashboard(
    named("downloads:lance:python", 1),
    named("stars:lance:github", 1),
    named("downloads:lance:rust", 1),
  );
  expect(chartGroups(body).map((group) => [group.id, group.metrics.length])).toEqual([
    ["downloads:lance", 2],
    ["stars:lance", 1],
  ]);
});

test("a chart starts with its eight largest series, and shows those a reader adds", () => {
  const metrics = Array.from({ length: 12 }, (_, index) => named(`downloads:lance:${index}`, index));
  const view = { ...DEFAULT_VIEW, added: ["downloads:lance:0"] };
  expect(chartMetrics(metrics, view).map((one) => one.metric_id)).toEqual(
    [0, 4, 5, 6, 7, 8, 9, 10, 11].map((index) => `downloads:lance:${index}`),
  );
});

test("ids of a link that nobody collects are named once", () => {
  const view = { ...DEFAULT_VIEW, hidden: ["nope"], compared: ["nope", "downloads:lance:python"] };
  expect(unknownIds(dashboard(metric([])), view)).toEqual(["nope"]);
});

test("two packages of one SDK are told apart by their subject", () => {
  const one = metric([], { metric_id: "a", subject: "pylance" });
  const other = metric([], { metric_id: "b", subject: "lance-tools" });
  expect(shortName(one, [one])).toBe("Python");
  expect(shortName(one, [one, other])).toBe("pylance");
});
