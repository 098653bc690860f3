import { expect, test } from "vitest";
import type { WeeklyMetric } from "../api/types";
import { chartLines, lineStyles } from "../chart/lines";
import { createFormats } from "../format/format";
import { DEFAULT_VIEW, type View } from "../view/view";
import { chartData } from "./chart-data";
import { dashboard, metric, week } from "./fixtures";
import { chartSubtitle } from "./subtitle";

const weeks = [week(0, 100), week(1, 110)];
const downloads = metric(weeks);
const stars = metric(weeks, {
  ...{ metric_id: "stars:lance:github", unit: "stars", value_kind: "level", source_window: "instant" },
});

function subtitle(metrics: readonly WeeklyMetric[], changes: Partial<View>): string {
  const view = { ...DEFAULT_VIEW, ...changes };
  const ids = metrics.map(({ metric_id }) => metric_id);
  const chart = chartData(dashboard(...metrics), ids, view);
  return chartSubtitle(
    chartLines(chart, lineStyles(metrics, true)),
    chart,
    view,
    createFormats("en-GB", false),
  );
}

test("an indexed chart of several units names each of them", () => {
  expect(subtitle([downloads, stars], { unit: "indexed" })).toContain("downloads and stars, indexed");
  expect(subtitle([downloads], { unit: "indexed" })).toMatch(/ · downloads, indexed/);
});

test("a chart of uniques says that they are by day", () => {
  const uniques = metric(weeks, { unit: "uniques" });
  expect(subtitle([uniques], { grain: "day" })).toContain("uniques a day · by day: uniques do not add up");
});
