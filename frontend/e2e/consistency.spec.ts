/** Page, CSV, badge, API and terminal report return the same week, change and completeness. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { answerUrl, CARD, choose, open, serverUrl, waitForChart } from "./scenarios";

test.describe.configure({ timeout: 90_000 }); // the program itself is started, and a database made for it

const METRIC = "downloads:lancedb:nodejs";

interface ReportedMetric {
  readonly metric_id: string;
  readonly latest_complete: { readonly week: string; readonly value: number };
  readonly change: { readonly absolute: number; readonly fraction: number };
  readonly share: number;
}

test("page, CSV, badge, API and report have equal numbers for one week", async ({ page, request }) => {
  const database = await (await request.post(serverUrl("today", "__database"))).text();
  const report = readReport(database);
  const body = await (await request.get(serverUrl("today", "api/v1/dashboard/weekly?weeks=1"))).json();
  const metric = body.products
    .flatMap((product: { metrics: unknown[] }) => product.metrics)
    .find((candidate: { metric_id: string }) => candidate.metric_id === METRIC);
  const { week, value, days_present, complete } = metric.latest_complete;
  expect({ week, value, change: metric.change, share: metric.share }).toEqual({
    week: report.latest_complete.week,
    value: report.latest_complete.value,
    change: report.change,
    share: report.share,
  });

  await open(page, "today", "?dates=iso&table=downloads:lancedb&product=lancedb");
  await waitForChart(page);
  const series = page.getByRole("region", { name: "Values and changes by series" });
  const figure = series.getByRole("row", { name: /^LanceDB for Node\.js/ });
  await expect(figure).toContainText(value.toLocaleString("en-GB"));
  const percent = new Intl.NumberFormat("en-GB", {
    style: "percent",
    minimumFractionDigits: Math.abs(metric.change.fraction) < 0.1 ? 1 : 0,
    maximumFractionDigits: Math.abs(metric.change.fraction) < 0.1 ? 1 : 0,
    signDisplay: "exceptZero",
  });
  await expect(figure).toContainText(percent.format(metric.change.fraction).replace("-", "\u2212"));
  const card = page.locator(CARD);
  await expect(card.getByRole("row", { name: new RegExp(`^${week}`) })).toContainText(
    value.toLocaleString("en-GB"),
  );

  await card.locator(".stage-keys").focus();
  const tooltip = card.locator(".tooltip");
  await page.keyboard.press("End");
  await expect(tooltip).toContainText("W");
  // the week that goes on comes after it, but not on a Monday, before any of its days is known
  if (!(await tooltip.textContent())?.startsWith(week)) await page.keyboard.press("ArrowLeft");
  await expect(tooltip).toContainText(week);
  const row = tooltip.getByRole("listitem", { includeHidden: true }).filter({ hasText: "Node.js" });
  await expect(row).toContainText(value.toLocaleString("en-GB"));
  await expect(row).toContainText(`${days_present} of ${metric.latest_complete.days_expected} days`);

  const download = page.waitForEvent("download");
  await choose(card, /^Export/, "CSV, a row for each value");
  const line = readFileSync(await (await download).path(), "utf8")
    .split("\r\n")
    .find((row) => row.startsWith(`${METRIC},downloads,${week},`));
  const [, , , , , csvValue, , , csvDays, , csvComplete] = line?.split(",") ?? [];
  expect([Number(csvValue), Number(csvDays), csvComplete]).toEqual([value, days_present, String(complete)]);

  const badge = await (await request.get(answerUrl("today", `badge/${METRIC}.svg`))).text();
  expect(badge).toContain(`${value.toLocaleString("en-US")} in ${week}, the newest complete week`);
});

test("page, API and report have one total, one change and one share of a product's week", async ({
  page,
  request,
}) => {
  const database = await (await request.post(serverUrl("today", "__database"))).text();
  const overview = await (await request.get(serverUrl("today", "api/v1/overview"))).json();
  const product = overview.products.find((one: { product: string }) => one.product === "lancedb");
  const reported = readProduct(database, "lancedb").filter(({ metric_id }) =>
    metric_id.startsWith("downloads:"),
  );
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  expect(new Set(reported.map((metric) => metric.latest_complete.week))).toEqual(
    new Set([product.total.week]),
  );
  expect(product.total.value).toBe(sum(reported.map((metric) => metric.latest_complete.value)));
  expect(product.total.change.absolute).toBe(sum(reported.map((metric) => metric.change.absolute)));
  for (const { sdk, share } of product.total.sdks)
    expect(reported.find((metric) => metric.metric_id.endsWith(`:${sdk}`))?.share).toBe(share);

  await open(page, "today");
  await expect(page.locator('[data-product="lancedb"] data')).toHaveAttribute(
    "value",
    String(product.total.value),
  );
  const shown = await page.locator("tr", { has: page.locator('[data-product="lancedb"]') }).textContent();
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  const percent = new Intl.NumberFormat("en-GB", { style: "percent", ...digits });
  for (const { share } of product.total.sdks) expect(shown).toContain(percent.format(share));
});

function readReport(database: string): ReportedMetric {
  const found = readProduct(database, "lancedb").find((metric) => metric.metric_id === METRIC);
  if (found === undefined) throw new Error(`the report does not contain ${METRIC}`);
  return found;
}

/** Both tests read one report: the command takes seconds. */
let output: string | null = null;

function readProduct(database: string, name: string): readonly ReportedMetric[] {
  output ??= execFileSync("../.venv/bin/community-metrics", ["report", "--json"], {
    env: { ...process.env, CM_DB_PATH: database, CM_STORAGE_MODE: "local" },
    encoding: "utf8",
  });
  const { products } = JSON.parse(output) as {
    products: readonly { product: string; metrics: readonly ReportedMetric[] }[];
  };
  return products.find(({ product }) => product === name)?.metrics ?? [];
}
