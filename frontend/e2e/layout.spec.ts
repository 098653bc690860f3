/** The layout at many widths. playwright.config.ts runs this with each font set. */
import { type Browser, expect, type Page, test } from "@playwright/test";
import { open, openDetails, pageUrl, scrollThrough, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

/**
 * The smallest visible shift, in CSS pixels: browsers paint text and boxes at whole pixels. (Chromium counts a layout
 * shift from 3 px.)
 */
const VISIBLE_PX = 1;
const WIDTHS = Array.from({ length: 32 }, (_, index) => 320 + 35 * index);

for (const width of [320, 390, 1024, 1280, 1600, 2560]) {
  test(`at ${width} px nothing overflows the page or a card`, async ({ page }) => {
    await page.setViewportSize({ width, height: 900 });
    await open(page, "rich", "?table=downloads:lancedb&range=2026-01-01..2027-01-17");
    await waitForChart(page);
    await scrollThrough(page);
    await openDetails(page);
    const [contentWidth, viewportWidth] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      innerWidth,
    ]);
    expect(contentWidth).toBeLessThanOrEqual(viewportWidth ?? 0);
    expect(await page.locator(".card").evaluateAll(overflowing)).toEqual([]);
  });
}

/** Returns the elements beyond their card's right edge, except in scrollable tables. */
function overflowing(cards: readonly Element[]): readonly string[] {
  return cards.flatMap((card) => {
    const edge = card.getBoundingClientRect().right;
    const parts = [...card.querySelectorAll("*")].filter(
      (element) => element.closest(".table-scroll, .visually-hidden, svg") === null,
    );
    const overflow = parts.filter((element) => element.getBoundingClientRect().right > edge + 1);
    return overflow.map(
      (element) => `${element.tagName}.${element.className} in ${card.querySelector("h2, h3")?.textContent}`,
    );
  });
}

test("at no width does the layout shift when the script replaces the static page", async ({ browser }) => {
  test.setTimeout(90_000);
  const staticPage = await skeleton(browser, { javaScriptEnabled: false });
  const scriptedPage = await skeleton(browser, { javaScriptEnabled: true });
  await expect(scriptedPage.getByRole("button", { name: "Copy as text" })).toBeVisible();
  const moved: string[] = [];
  for (const width of WIDTHS) {
    const before = await firstCard(staticPage, width);
    const after = await firstCard(scriptedPage, width);
    const shift = Math.max(...after.map((edge, index) => Math.abs(edge - (before[index] ?? Number.NaN))));
    if (!(shift < VISIBLE_PX)) moved.push(`${shift} px at a width of ${width} px`);
  }
  expect(moved).toEqual([]);
});

/** Opens the page with an API that never responds, so that it stays in its loading state. */
async function skeleton(browser: Browser, options: { readonly javaScriptEnabled: boolean }): Promise<Page> {
  const page = await browser.newPage(options);
  await page.route("**/api/**", () => undefined);
  await page.goto(pageUrl("rich"));
  return page;
}

/** Returns the left, top, right and bottom edge of the first card. */
async function firstCard(page: Page, width: number): Promise<readonly number[]> {
  await page.setViewportSize({ width, height: 900 });
  return page
    .locator(".skeleton .card")
    .first()
    .evaluate((card) => {
      const { left, top, right, bottom } = card.getBoundingClientRect();
      return [left, top, right, bottom];
    });
}
