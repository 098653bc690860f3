/** What the title of a chart claims: in words, from changes that the API computed. */
import type { Change, WeeklyMetric } from "../api/types";
import type { Line } from "../chart/lines";
import type { Formats } from "../format/format";
import type { View } from "../view/view";
import { addDays, type ChartData } from "./chart-data";
import { isByDayOnly } from "./kinds";
import { shortName } from "./naming";

/** Below this fraction a change is called steady. */
const STEADY = 0.01;
/** From this fraction on another series is named beside the largest. */
const NOTABLE = 0.1;
const FOUR_WEEKS = 28;

type Words = Pick<Formats, "changeSize" | "count">;

export type IsDrawn = (metric: WeeklyMetric) => boolean;

/**
 * Returns whether a chart draws the days that the change of a metric is about, as values that show it.
 *
 * A hidden series, a range that leaves out one of these days, and running totals do not. On the page of an
 * earlier week they would be taken for the days before that week.
 */
export function drawnIn(
  lines: readonly Pick<Line, "id">[],
  { extent }: Pick<ChartData, "extent">,
  { sum, week }: Pick<View, "sum" | "week">,
): IsDrawn {
  return (metric) => {
    const lastDay = metric.latest_complete?.period_end;
    if (extent === null || lastDay === undefined || sum === "cumulative" || week !== null) return false;
    const firstDay = addDays(lastDay, 1 - daysOfChange(metric));
    return lines.some(({ id }) => id === metric.metric_id) && extent.from <= firstDay && lastDay <= extent.to;
  };
}

/** Returns the claim of a chart's title; null where the API has no change of what is drawn. */
export function chartClaim(metrics: readonly WeeklyMetric[], isDrawn: IsDrawn, format: Words): string | null {
  const claimed = metrics.filter(isDrawn).flatMap((metric) => {
    const change = claimedChange(metric);
    return change && !isByDayOnly(metric) ? [{ metric, change }] : [];
  });
  const [lead] = [...claimed].sort((a, b) => size(b.metric) - size(a.metric));
  if (lead === undefined) return null;
  const { unit } = lead.metric;
  const subject = metrics.length === 1 ? capitalized(unit) : `${shortName(lead.metric, metrics)} ${unit}`;
  const text = `${subject} ${movement(lead.metric, lead.change, format)} ${span(lead.metric)}`;
  const other = claimed
    .filter(({ metric, change }) => metric !== lead.metric && isNotable(change, lead.change))
    .sort((a, b) => Math.abs(b.change.fraction) - Math.abs(a.change.fraction))[0];
  return other === undefined
    ? text
    : `${text}; ${shortName(other.metric, metrics)} ${movement(other.metric, other.change, format)}`;
}

/** Returns why a chart claims nothing: a source that counts in another way since a day; null for any other. */
export function unclaimed(
  metrics: readonly WeeklyMetric[],
  isDrawn: IsDrawn,
  format: Pick<Formats, "day">,
): string | null {
  const crossed = metrics.find(
    (metric) => isDrawn(metric) && claimedChange(metric) === null && metric.level_break,
  );
  if (!crossed?.level_break) return null;
  const { day, reason } = crossed.level_break;
  return `No change is computed across ${format.day(day)}: ${reason}.`;
}

function claimedChange(metric: WeeklyMetric): Change | null {
  return metric.value_kind === "rolling" ? metric.change : metric.four_period_change;
}

function size(metric: WeeklyMetric): number {
  return metric.latest_complete?.value ?? -1;
}

function isNotable(change: Change, lead: Change): boolean {
  const isOpposite = Math.sign(change.fraction) !== Math.sign(lead.fraction);
  return Math.abs(change.fraction) >= NOTABLE && (isOpposite || Math.abs(lead.fraction) < NOTABLE);
}

function movement(metric: WeeklyMetric, { fraction, absolute }: Change, format: Words): string {
  // a level grows by a little: its difference says more than its percentage
  if (metric.value_kind === "level" && absolute !== 0)
    return `${absolute > 0 ? "up" : "down"} by ${format.count(Math.abs(absolute))}`;
  if (Math.abs(fraction) < STEADY) return "steady";
  return `${fraction > 0 ? "up" : "down"} ${format.changeSize(Math.abs(fraction))}`;
}

function span(metric: WeeklyMetric): string {
  return metric.value_kind === "rolling" ? `in ${daysOfChange(metric)} days` : "in four weeks";
}

function daysOfChange(metric: WeeklyMetric): number {
  return metric.value_kind === "rolling" ? Number.parseInt(metric.source_window, 10) : FOUR_WEEKS;
}

function capitalized(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
