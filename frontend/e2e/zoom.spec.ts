/** A zoom says what it did, and is undone where it was done. */
import { expect, type Page, test } from "@playwright/test";
import { CARD, open, pageUrl, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

test("a zoom says beside its chart what it did to all charts, and is undone there", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  await drag(page, 0.3, 0.6);
  await expect(page).toHaveURL(/range=2026-\d\d-\d\d\.\.2026-\d\d-\d\d/);
  const bar = page.locator(`${CARD} .zoom-bar`);
  await expect(bar).toContainText(/^All charts are zoomed from 1 year to \d+ \w+ – \d+ \w+ 2026\./);
  await expect(page.locator(".zoom-bar")).toHaveCount(1);
  await bar.getByRole("button", { name: "Undo zoom" }).click();
  await expect(page).toHaveURL(pageUrl("rich"));
  await expect(page.locator(".zoom-bar")).toHaveCount(0);
});

test("Undo and Back revert a zoom too", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  await drag(page, 0.3, 0.6);
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect(page).toHaveURL(pageUrl("rich"));
  await drag(page, 0.3, 0.6);
  await page.goBack();
  await expect(page).toHaveURL(pageUrl("rich"));
});

test("a chart claims nothing of weeks or of series that it does not draw", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  const title = page.locator(`${CARD} h3`);
  await expect(title).toContainText("Python downloads down 18% in four weeks");
  await page
    .locator(CARD)
    .getByRole("button", { name: /^Python/ })
    .click();
  await expect(title).toContainText("in four weeks");
  await expect(title).not.toContainText("Python");
  await drag(page, 0.3, 0.6);
  await expect(title).toHaveText("LanceDB · Downloads");
});

async function drag(page: Page, from: number, to: number): Promise<void> {
  const stage = page.locator(`${CARD} .stage-keys`);
  await stage.scrollIntoViewIfNeeded();
  const box = await stage.boundingBox();
  if (box === null) throw new Error("the chart is not on the page");
  await page.mouse.move(box.x + box.width * from, box.y + 90);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, box.y + 90, { steps: 4 });
  await page.mouse.up();
}
