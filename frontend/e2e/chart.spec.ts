/** One chart: drawing, tooltip, keyboard, zoom and table. */
import { expect, type Page, test } from "@playwright/test";
import { CARD, open, pageUrl, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

const stage = (page: Page) => page.locator(`${CARD} .stage-keys`);
const live = (page: Page) => page.locator(`${CARD} [aria-live]`);

test("dragging zooms, and Undo and Back revert it", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  await drag(page, 0.3, 0.6);
  await expect(page).toHaveURL(/range=2026-\d\d-\d\d\.\.2026-\d\d-\d\d/);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page).toHaveURL(pageUrl("rich"));
  await drag(page, 0.3, 0.6);
  await page.goBack();
  await expect(page).toHaveURL(pageUrl("rich"));
});

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
  await expect(page.getByText(/^Zoomed to/)).toBeVisible();
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

test("the legend and the drawing distinguish gaps, estimates, the running week and restated points", async ({
  page,
}) => {
  await open(page, "rich");
  await waitForChart(page);
  const legend = page
    .locator(".chart-card", { hasText: "Lance · Downloads" })
    .first()
    .locator(".kind-legend");
  for (const text of ["Complete", "Estimate", "some days are missing", "In progress", "Gap"])
    await expect(legend).toContainText(text);
  await expect(page.locator(CARD).locator(".kind-legend")).toContainText("Restated by the registry");
  const dashed = page
    .locator(".stage-plot")
    .first()
    .locator("path[stroke-dasharray], g[stroke-dasharray] path");
  await expect(dashed.first()).toBeAttached();
  await expect(page.locator(".stage-plot").first().locator("[fill='url(#cm-hatch)']")).toBeAttached();
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
  const hatch = await plot
    .locator("[fill='url(#cm-hatch)'] rect, rect[fill='url(#cm-hatch)']")
    .first()
    .boundingBox();
  expect(hatch).not.toBeNull();
  for (const line of await plot.locator("g[aria-label=line] path").all()) {
    const box = await line.boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual((hatch?.x ?? 0) + 0.5);
  }
});

test("long lines are distinguishable without colour", async ({ page }) => {
  await open(page, "rich", "?range=all");
  await waitForChart(page);
  await page.setViewportSize({ width: 390, height: 844 });
  const marks = page.locator(CARD).locator(".stage-plot g[aria-label=dot] path[fill^='var(--series']");
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

async function drag(page: Page, from: number, to: number): Promise<void> {
  await stage(page).scrollIntoViewIfNeeded();
  const box = await stage(page).boundingBox();
  if (box === null) throw new Error("the chart is not on the page");
  await page.mouse.move(box.x + box.width * from, box.y + 90);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, box.y + 90, { steps: 4 });
  await page.mouse.up();
}
