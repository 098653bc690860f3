import { describe, expect, test } from "vitest";
import { createFormats } from "../format/format";
import { chartClaim, drawnIn, unclaimed } from "./claims";
import { metric, week } from "./fixtures";

const format = createFormats("en-GB", false);
const ALL = () => true;
const change = (fraction: number, absolute = Math.round(fraction * 1_000)) => ({ fraction, absolute });
const series = (sdk: string, value: number, fraction: number | null) =>
  metric([week(0, value)], {
    metric_id: `downloads:lance:${sdk}`,
    sdk,
    four_period_change: fraction === null ? null : change(fraction),
  });

describe("a chart's title claims what the API computed", () => {
  test.each([
    [0.1109, "Downloads up 11% in four weeks"],
    [0.043, "Downloads up 4.3% in four weeks"],
    [-0.257, "Downloads down 26% in four weeks"],
    [0.004, "Downloads steady in four weeks"],
  ])("%d", (fraction, claim) => {
    expect(chartClaim([series("python", 100, fraction)], ALL, format)).toBe(claim);
  });
});

test("the largest series of several is claimed, and one that goes the other way is named", () => {
  const [python, rust] = [series("python", 900, 0.11), series("rust", 20, -0.31)];
  expect(chartClaim([rust, python], ALL, format)).toBe(
    "Python downloads up 11% in four weeks; Rust down 31%",
  );
  expect(chartClaim([series("rust", 20, 0.4), python], ALL, format)).toBe(
    "Python downloads up 11% in four weeks",
  );
});

test("a series without a change is never claimed, and without any there is no claim", () => {
  const [python, rust] = [series("python", 900, null), series("rust", 20, 0.05)];
  expect(chartClaim([python, rust], ALL, format)).toBe("Rust downloads up 5.0% in four weeks");
  expect(chartClaim([python], ALL, format)).toBeNull();
});

test("a level is claimed by its difference, and a rolling total by its window", () => {
  const stars = metric([week(0, 5_000)], {
    ...{ unit: "stars", sdk: null, value_kind: "level", source_window: "instant" },
    four_period_change: change(0.004, 192),
  });
  expect(chartClaim([stars], ALL, format)).toBe("Stars up by 192 in four weeks");
  const installs = metric([week(0, 5_000)], {
    ...{ unit: "installs", sdk: null, value_kind: "rolling", source_window: "30d" },
    change: change(-0.08),
  });
  expect(chartClaim([installs], ALL, format)).toBe("Installs down 8.0% in 30 days");
});

test("a chart across a change of counting says so instead", () => {
  const broken = metric([week(0, 5)], {
    level_break: { day: "2026-10-27", reason: "only downloads by cargo count" },
  });
  expect(unclaimed([broken], ALL, format)).toBe(
    "No change is computed across 27 Oct 2026: only downloads by cargo count.",
  );
  expect(unclaimed([series("python", 1, 0.1)], ALL, format)).toBeNull();
});

describe("a title claims only what its chart draws", () => {
  // the four weeks of the claim are from 7 September to 4 October 2026
  const weeks = [week(0, 800), week(1, 850), week(2, 870), week(3, 900)];
  const of = (sdk: string, fraction: number) =>
    metric(weeks, { metric_id: `downloads:lance:${sdk}`, sdk, four_period_change: change(fraction) });
  const metrics = [of("python", 0.11), of("rust", -0.31)];
  const lines = metrics.map(({ metric_id }) => ({ id: metric_id }));
  const extent = { from: "2026-09-07", to: "2026-10-11" };
  const view = { sum: "period", week: null } as const;
  const claim = (...drawn: Parameters<typeof drawnIn>) => chartClaim(metrics, drawnIn(...drawn), format);

  test("of visible series, under their names", () => {
    expect(claim(lines, { extent }, view)).toBe("Python downloads up 11% in four weeks; Rust down 31%");
    expect(claim(lines.slice(1), { extent }, view)).toBe("Rust downloads down 31% in four weeks");
    expect(claim([], { extent }, view)).toBeNull();
  });

  test.each([
    ["begins after the first day", { extent: { from: "2026-09-08", to: "2026-10-11" } }, view],
    ["ends before the last day", { extent: { from: "2026-09-07", to: "2026-10-03" } }, view],
    ["is empty", { extent: null }, view],
    ["has running totals", { extent }, { ...view, sum: "cumulative" as const }],
    ["is on the page of an earlier week", { extent }, { ...view, week: "2026-W38" }],
  ])("and nothing where the chart %s", (_, chart, shown) => {
    expect(claim(lines, chart, shown)).toBeNull();
  });

  test("nor why it claims nothing of days that it does not draw", () => {
    const level_break = { day: "2026-09-20", reason: "only downloads by cargo count" };
    const broken = metric(weeks, { level_break });
    const line = [{ id: broken.metric_id }];
    expect(unclaimed([broken], drawnIn(line, { extent }, view), format)).not.toBeNull();
    expect(unclaimed([broken], drawnIn([], { extent }, view), format)).toBeNull();
  });
});
