import { expect, test } from "vitest";
import type { Insight, Overview, ProductOfWeek } from "../api/types";
import { createFormats } from "../format/format";
import { DEFAULT_VIEW } from "../view/view";
import { chartData } from "./chart-data";
import { dashboard, metric, week } from "./fixtures";
import { chartText, overviewText, type SharedOverview } from "./share-text";

const FORMAT = createFormats("en-GB", false);

const PRODUCT = {
  product: "parq",
  display_name: "Parq | <core>",
  total: {
    unit: "downloads",
    week: "2026-W46",
    value: 16_900_000,
    estimated: false,
    change: { absolute: -340_000, fraction: -0.02 },
    four_week_change: null,
    year_on_year_change: null,
    lacking: [],
    left_out: [],
    waits_for: [],
  },
  stars: { value: 57_300, change: { absolute: 192, fraction: 0.003 }, read_at: null },
} as unknown as ProductOfWeek;

const OVERVIEW = {
  week: "2026-W47",
  period_start: "2026-11-16",
  period_end: "2026-11-22",
  next: null,
  headline: null,
  stars: null,
  products: [PRODUCT],
  freshness: { sample: false },
} as unknown as Overview;

const SILENCE = {
  kind: "silence",
  metric_ids: [],
  product: null,
  sentence: "12 fewer (\u22121.0%).",
  numbers: { type: "silence", judged: 1, series: 1 },
} as unknown as Insight;

const SHARED: SharedOverview = {
  overview: OVERVIEW,
  insights: [SILENCE],
  names: { metrics: new Map(), productNames: new Map() },
  name: "Acme",
  url: "https://example.org/?week=2026-W47",
};

test("Markdown has a table that no product's name breaks, and the API's sentences", () => {
  const text = overviewText(SHARED, FORMAT, "markdown");
  expect(text).toContain("**Acme, week 47 (");
  expect(text).toContain("- **Nothing unusual**: 12 fewer (\u22121.0%).");
  expect(text).toContain(
    `| Parq \\| \\<core\\> (week 46) | ${FORMAT.figure(16_900_000)} | \u22122.0% | — | — | 57.3k +192 |`,
  );
  expect(text).toContain("Downloads are not users. [Open the page](https://example.org/?week=2026-W47)");
});

test("Slack's text has its own bold and links, escapes what Slack would read, and aligns its columns", () => {
  const text = overviewText(SHARED, FORMAT, "slack");
  expect(text).toContain("*Acme, week 47 (");
  expect(text).toContain("<https://example.org/?week=2026-W47|Open the page>");
  expect(text).toContain("Parq | &lt;core&gt; (week 46)");
  expect(text).not.toContain("**");
  const [head = "", row = ""] = text.split("```")[1]?.trim().split("\n") ?? [];
  expect(head.indexOf("on week") + "on week".length).toBe(
    row.replace("&lt;", "<").replace("&gt;", ">").indexOf("\u22122.0%") + 5,
  );
});

test("a text keeps what the table says of a value: its unit, what it lacks, an estimate, stars as read", () => {
  const row = (changes: object, stars: object | null = null) =>
    ({
      ...PRODUCT,
      total: { ...PRODUCT.total, week: "2026-W47", ...changes },
      stars,
    }) as unknown as ProductOfWeek;
  const products = [
    row({ lacking: ["downloads:parq:rust"], left_out: [{ metric_id: "downloads:parq:nodejs" }] }),
    row({ unit: "pulls", week: null, value: 700, estimated: true, change: null }),
    row(
      { week: null, value: null, change: null },
      { value: 120, change: null, read_at: "2026-11-23T06:00:00Z" },
    ),
  ];
  const text = overviewText({ ...SHARED, overview: { ...OVERVIEW, products } }, FORMAT, "slack");
  expect(text).toMatch(/\(without Rust, Node\.js\) +16\.9M downloads/i);
  expect(text).toMatch(/\(no complete week, estimate\) +≈ 700 pulls/);
  expect(text).toMatch(/\(no complete week\) .*120 as read/);
});

test("sample data says so in the first line", () => {
  const sample = { ...OVERVIEW, freshness: { sample: true } } as unknown as Overview;
  expect(overviewText({ ...SHARED, overview: sample }, FORMAT, "markdown")).toMatch(/^\*\*Sample data: Acme/);
});

test("a chart's text has its newest periods, and says where there is no value or not a whole one", () => {
  const chart = chartData(
    dashboard(metric([week(0, 10), week(1, null), week(2, 30, { complete: false })])),
    ["downloads:lance:python"],
    { ...DEFAULT_VIEW, range: "all" },
  );
  const shared = {
    title: "Lance",
    subtitle: "Downloads",
    chart,
    names: ["Python"],
    source: "Source: pypistats",
    url: "https://example.org/",
  };
  const text = chartText(shared, FORMAT, "markdown");
  expect(text).toContain("| Week 37 | 10 |\n| Week 38 | — |\n| Week 39 | 30 (incomplete) |");
});
