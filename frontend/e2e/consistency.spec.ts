/** Page, CSV, badge, API and terminal report return the same week, change and completeness. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { open, pageUrl, waitForChart } from "./scenarios";

const METRIC = "downloads:lancedb:nodejs";

interface ReportedMetric {
  readonly metric_id: string;
  readonly latest_complete: { readonly week: string; readonly value: number };
  readonly change: { readonly absolute: number; readonly fraction: number };
  readonly share: number;
}

test("page, CSV, badge, API and report have equal numbers for one week", async ({ page, request }) => {
  const database = await (await request.post(pageUrl("today", "__database"))).text();
  const report = readReport(database);
  const body = await (await request.get(pageUrl("today", "api/v1/dashboard/weekly?weeks=1"))).json();
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

  await open(page, "today", "?dates=iso&table=downloads:lancedb");
  await waitForChart(page);
  const figure = page.locator(`[data-metric="${METRIC}"]`);
  await expect(figure).toHaveText(value.toLocaleString("en-GB"));
  const percent = new Intl.NumberFormat("en-GB", {
    style: "percent",
    maximumFractionDigits: 1,
    signDisplay: "exceptZero",
  });
  await expect(figure.locator("xpath=following-sibling::td[1]")).toContainText(
    percent.format(metric.change.fraction),
  );
  const share = new Intl.NumberFormat("en-GB", { style: "percent", maximumFractionDigits: 1 });
  await expect(figure.locator("xpath=following-sibling::td[2]")).toHaveText(share.format(metric.share));
  const card = page.locator(".chart-card:has(h3:text('LanceDB · Downloads'))");
  await expect(card.getByRole("row", { name: new RegExp(`^${week}`) })).toContainText(
    value.toLocaleString("en-GB"),
  );

  await card.locator(".stage-keys").focus();
  const tooltip = card.locator(".tooltip");
  for (const key of ["End", "ArrowLeft"]) await page.keyboard.press(key);
  await expect(tooltip).toContainText(week);
  const row = tooltip.getByRole("listitem", { includeHidden: true }).filter({ hasText: "Node.js" });
  await expect(row).toContainText(value.toLocaleString("en-GB"));
  await expect(row).toContainText(`${days_present} of ${metric.latest_complete.days_expected} days`);

  const download = page.waitForEvent("download");
  await card.getByRole("button", { name: "CSV" }).click();
  const line = readFileSync(await (await download).path(), "utf8")
    .split("\r\n")
    .find((row) => row.startsWith(`${METRIC},downloads,${week},`));
  const [, , , , , csvValue, , , csvDays, , csvComplete] = line?.split(",") ?? [];
  expect([Number(csvValue), Number(csvDays), csvComplete]).toEqual([value, days_present, String(complete)]);

  const badge = await (await request.get(pageUrl("today", `api/v1/badge/${METRIC}.svg`))).text();
  expect(badge).toContain(`${value.toLocaleString("en-US")} in ${week}, the newest complete week`);
});

function readReport(database: string): ReportedMetric {
  const output = execFileSync("../.venv/bin/community-metrics", ["report", "--json"], {
    env: { ...process.env, CM_DB_PATH: database, CM_STORAGE_MODE: "local" },
    encoding: "utf8",
  });
  const { products } = JSON.parse(output) as { products: readonly { metrics: readonly ReportedMetric[] }[] };
  const found = products.flatMap((product) => product.metrics).find((metric) => metric.metric_id === METRIC);
  if (found === undefined) throw new Error(`the report does not contain ${METRIC}`);
  return found;
}
