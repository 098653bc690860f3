/** The page of a product: what its charts claim, the year before, and every SDK on a scale of its own. */
import { expect, test } from "@playwright/test";
import { axeViolations, CARD, open, scrollThrough, serverUrl, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

test("the title of a chart claims what the API computed, and says of which unit and days", async ({
  page,
  request,
}) => {
  await open(page, "rich", "?product=lancedb");
  await waitForChart(page);
  const weekly = await request.get(serverUrl("rich", "api/v1/dashboard/weekly?weeks=1"));
  const metric = (await weekly.json()).products
    .flatMap((product: { metrics: unknown[] }) => product.metrics)
    .find((one: { metric_id: string }) => one.metric_id === "downloads:lancedb:python");
  const percent = Math.round(Math.abs(metric.four_period_change.fraction) * 100);
  const head = page.locator(`${CARD} .chart-titles`);
  await expect(head.getByRole("heading")).toHaveText(`Python downloads down ${percent}% in four weeks`);
  await expect(head).toContainText("LanceDB · Downloads");
  await expect(head.locator(".chart-subtitle")).toHaveText(
    /^19 Jan 2026 – 24 Jan 2027 · downloads a week · pale: a year before$/,
  );
});

test("every family of a product has a chart, and the controls and the key are there once", async ({
  page,
}) => {
  await open(page, "rich", "?product=lancedb");
  await waitForChart(page);
  await scrollThrough(page);
  const charts = page.locator(".charts .chart-card");
  for (const family of ["downloads", "stars", "forks", "downloads_total"])
    await expect(page.locator(`[data-chart='${family}:lancedb']`)).toHaveCount(1);
  expect(await charts.count()).toBeGreaterThan(5);
  for (const only of [".toolbar", ".key", ".kind-legend"]) await expect(page.locator(only)).toHaveCount(1);
});

test("the year before is drawn behind this year, with its numbers in the tooltip", async ({ page }) => {
  await open(page, "rich", "?product=lancedb&table=downloads:lancedb");
  await waitForChart(page);
  const card = page.locator(CARD);
  await expect(card.locator(".stage-keys .mark-year-before path")).toHaveCount(3);
  await card.locator(".stage-keys").focus();
  for (const key of ["End", "ArrowLeft"]) await page.keyboard.press(key);
  await expect(card.locator(".tooltip li").first()).toContainText(/a year before [\d,]+/);
  await page.getByRole("button", { name: "Cumulative" }).click();
  await expect(card.locator(".stage-keys .mark-year-before path")).toHaveCount(0);
});

test("each SDK has a chart with a scale of its own", async ({ page }) => {
  await open(page, "rich", "?product=lancedb");
  await waitForChart(page);
  await scrollThrough(page);
  const small = page.locator(`${CARD} .multiples li`);
  await expect(small).toHaveCount(3);
  const tops = await small.evaluateAll((items) =>
    items.map((item) => [...item.querySelectorAll(".axis-y text")].at(-1)?.textContent),
  );
  expect(new Set(tops).size).toBe(3);
});

for (const theme of ["light", "dark"] as const) {
  test(`axe finds nothing on the page of a product with open events in ${theme}`, async ({ browser }) => {
    const page = await browser.newPage({ colorScheme: theme });
    await open(page, "rich", "?product=lancedb&by=day&table=downloads:lancedb");
    await waitForChart(page);
    await page.locator(`${CARD} .flag`).first().click();
    await page
      .getByRole("button", { name: /^Before and after/ })
      .first()
      .click();
    await expect(page.locator(".before-after li").first()).toContainText("what happened together, not why");
    expect(await axeViolations(page)).toEqual([]);
    await page.close();
  });
}

test("on a phone of 320 pixels nothing scrolls sideways and every target has 44 pixels", async ({
  browser,
}) => {
  const context = await browser.newContext({ hasTouch: true, viewport: { width: 320, height: 700 } });
  const page = await context.newPage();
  await open(page, "rich", "?product=lancedb&compare=downloads:lance:python,downloads:lancedb:python");
  await waitForChart(page);
  await scrollThrough(page);
  const targets = page.locator(
    ".chart-card button:visible, .toolbar button:visible, .flag, .chips button, .key summary, [role=combobox]",
  );
  const heights = await targets.evaluateAll((all) =>
    all.map((one) => `${Math.ceil(one.getBoundingClientRect().height)} ${one.textContent ?? ""}`),
  );
  expect(heights.filter((text) => Number.parseInt(text, 10) < 44)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  await context.close();
});
