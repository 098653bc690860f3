/** What stands below the title of a chart, on the page and in its pictures. */
import type { Line } from "../chart/lines";
import type { Formats } from "../format/format";
import type { View } from "../view/view";
import type { ChartData } from "./chart-data";
import { axisText, isByDayOnly } from "./kinds";

/** Returns the period, what the axis counts, and what is drawn beside the values. */
export function chartSubtitle(
  lines: readonly Line[],
  chart: ChartData,
  view: Pick<View, "grain" | "sum" | "unit" | "scale">,
  format: Pick<Formats, "days">,
): string {
  const [metric] = lines.map((line) => line.series.metric);
  if (metric === undefined) return "";
  const points = lines.flatMap((line) => line.series.points);
  const counted = [...new Set(lines.map((line) => axisText(line.series.metric, view)))];
  const units = [...new Set(lines.map((line) => line.series.metric.unit))].join(" and ");
  const isLevel = metric.value_kind === "level" && view.scale === "linear" && view.unit === "absolute";
  const notes = [
    view.unit === "indexed" ? axisText({ ...metric, unit: units }, view) : counted.join(", "),
    ...(view.scale === "log" ? ["log scale"] : []),
    ...(isLevel ? ["the axis does not begin at 0"] : []),
    ...(lines.some((line) => isByDayOnly(line.series.metric))
      ? ["by day: uniques do not add up to a week or a month"]
      : []),
    ...(points.some((point) => point.average !== null) ? ["thick: 7-day average"] : []),
    ...(lines.some((line) => line.series.yearBefore.length > 0) ? ["pale: a year before"] : []),
  ];
  const period = chart.extent === null ? [] : [format.days(chart.extent.from, chart.extent.to)];
  return [...period, ...notes].join(" · ");
}
