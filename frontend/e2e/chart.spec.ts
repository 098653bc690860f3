/** One chart: drawing, tooltip, keyboard, zoom and table. */
import { expect, type Page, test } from "@playwright/test";
import { CARD, open, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

const stage = (page: Page) => page.locator(`${CARD} .stage-keys`);
const live = (page: Page) => page.locator(`${CARD} [aria-live]`);

test("the keyboard selects points, announces each, and zooms", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  await stage(page).focus();
  await page.keyboard.press("ArrowLeft");
  await expect(live(page)).toHaveText(
    /^Week 3, 18\s?–\s?24 Jan 2027: Python [\d,]+, in progress; Node\.js [\d,]+, in progress; Rust [\d,]+, in progress\.$/,
  );
  await page.keyboard.press("ArrowLeft");
  await expect(live(page)).toHaveText(
    /^Week 2, 11\s?–\s?17 Jan 2027: Python 1,285,752; Node\.js 431,612; Rust 17,250\.$/,
  );
  for (let step = 0; step < 4; step += 1) await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/range=2026-12-14\.\.2027-01-17/);
  await expect(page.getByText(/^Zoomed all charts to/)).toBeVisible();
});

test("Escape closes the tooltip", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  await stage(page).focus();
  await page.keyboard.press("End");
  await expect(page.locator(".tooltip")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.locator(".tooltip")).toBeHidden();
});

test("the key and the drawing distinguish gaps, estimates, the running week and restated points", async ({
  page,
}) => {
  await open(page, "rich", "?product=lance");
  await waitForChart(page);
  const key = page.locator(".kind-legend");
  await expect(key).toHaveCount(1);
  for (const text of ["Complete", "Estimate", "some days are missing", "In progress", "Gap", "Restated"])
    await expect(key).toContainText(text);
  const plot = page.locator(".stage-plot").first();
  await expect(plot.locator(".mark-line path[stroke-dasharray]").first()).toBeAttached();
  await expect(plot.locator("[fill='url(#cm-hatch)']")).toBeAttached();
});

test("the table has the chart's numbers, sorts, and has its order in the URL", async ({ page }) => {
  await open(page, "rich", "?table=downloads:lancedb");
  const table = page.locator(CARD).getByRole("table");
  await expect(table.getByRole("row").nth(2)).toContainText(/Week 2.*1,285,752.*431,612.*17,250/);
  await table.getByRole("button", { name: /Node\.js/ }).click();
  await expect(page).toHaveURL(/sort=downloads:lancedb\.s2\.desc/);
  await expect(table.getByRole("columnheader", { name: /Node\.js/ })).toHaveAttribute(
    "aria-sort",
    "descending",
  );
});

test("the tooltip has the provenance, days present and read time of every series", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  await stage(page).focus();
  for (const key of ["End", "ArrowLeft"]) await page.keyboard.press(key);
  const rows = page.locator(".tooltip li");
  await expect(rows).toHaveCount(3);
  for (const row of await rows.all())
    await expect(row).toContainText(/7 of 7 days.*registry.*read \d+ Jan 2027/);
});

test("a tap opens the tooltip, and it stays open", async ({ browser }) => {
  const context = await browser.newContext({ hasTouch: true, viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  await open(page, "rich");
  await waitForChart(page);
  await stage(page).tap({ position: { x: 200, y: 100 } });
  await expect(page.locator(".tooltip")).toContainText("7 of 7 days");
  await context.close();
});

test("the running week is hatched, and no line enters it", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  const plot = page.locator(CARD).locator(".stage-plot");
  const hatch = await plot.locator("rect[fill='url(#cm-hatch)']").first().boundingBox();
  expect(hatch).not.toBeNull();
  for (const line of await plot.locator(".mark-line path").all()) {
    const box = await line.boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual((hatch?.x ?? 0) + 0.5);
  }
});

test("long lines are distinguishable without colour", async ({ page }) => {
  await open(page, "rich", "?range=all");
  await waitForChart(page);
  await page.setViewportSize({ width: 390, height: 844 });
  const marks = page.locator(CARD).locator(".stage-plot .mark-dot path[fill^='var(--series']");
  await expect.poll(() => marks.count()).toBeGreaterThan(20);
  const shapes = await marks.evaluateAll(
    (all) => new Set(all.map((element) => element.getAttribute("d"))).size,
  );
  expect(shapes).toBeGreaterThanOrEqual(3);
});

test("the table shows cumulative, indexed and daily values", async ({ page }) => {
  const column = async (query: string) => {
    await open(page, "rich", `?range=12w&table=downloads:lancedb&sort=downloads:lancedb.period.asc${query}`);
    await expect(page.locator(CARD).getByRole("row").nth(1)).toBeVisible();
    const cells = await page.locator(CARD).locator("tbody tr td:nth-child(2)").allTextContents();
    return cells.map((text) => Number.parseFloat(text.replaceAll(",", "")));
  };
  const weekly = await column("");
  expect(weekly).toHaveLength(13);
  const sum = weekly.reduce((total, value) => total + value, 0);
  expect((await column("&sum=cumulative")).at(-1)).toBe(sum);
  const indexed = await column("&unit=indexed");
  expect([indexed[0], indexed[11]]).toEqual([
    100,
    Math.round(((weekly[11] ?? 0) / (weekly[0] ?? 1)) * 1_000) / 10,
  ]);
  expect(await column("&by=day")).toHaveLength(30);
});

test("three series by day over all days are drawn", async ({ page }) => {
  await open(page, "rich", "?by=day&range=all");
  await waitForChart(page);
  const card = page.locator(CARD);
  await card.scrollIntoViewIfNeeded();
  await expect(card.locator(".legend button")).toHaveCount(3);
  await expect(card.locator(".chart-subtitle")).toContainText("6 Jan 2025");
  await expect
    .poll(() =>
      card
        .locator(".stage-plot .mark-line path")
        .evaluateAll((paths) => new Set(paths.map((path) => path.getAttribute("stroke"))).size),
    )
    .toBe(3);
});

test("a total after a gap is marked as one that lacks a period, in the drawing and in the table", async ({
  page,
}) => {
  await open(page, "rich", "?sum=cumulative&table=downloads:lance&dates=iso");
  await waitForChart(page);
  const card = page.locator('.chart-card[data-chart="downloads:lance"]');
  await card.scrollIntoViewIfNeeded();
  // Rust has no day of weeks 37 and 38
  const rust = (week: string) =>
    card
      .getByRole("row", { name: new RegExp(`^${week}`) })
      .getByRole("cell")
      .last();
  await expect(rust("2026-W36")).not.toContainText("lacks");
  await expect(rust("2026-W39")).toContainText("lacks a period before");
  await expect(card.locator(".stage-plot .mark-line path[stroke-dasharray='2,4']").first()).toBeAttached();
});
