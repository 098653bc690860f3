/** Where things are on the page, at any width and with any fonts: playwright.config.ts runs this once for each set. */
import { type Browser, expect, type Page, test } from "@playwright/test";
import { open, pageUrl, scrollThrough, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

/**
 * The least that a person may see move, in CSS pixels. Less is a rounding of the font's metrics: browsers paint text
 * and boxes at whole pixels. (Chromium counts a layout shift from 3 px on.)
 */
const SEEN_PX = 1;
const WIDTHS = Array.from({ length: 32 }, (_, index) => 320 + 35 * index);

for (const width of [320, 390, 1024, 1280, 1600, 2560]) {
  test(`at ${width} px nothing sticks out, neither of the page nor of a card`, async ({ page }) => {
    await page.setViewportSize({ width, height: 900 });
    await open(page, "rich", "?table=downloads:lancedb&range=2026-01-01..2027-01-17");
    await waitForChart(page);
    await scrollThrough(page);
    await expect(page.getByRole("heading", { name: "Last runs" })).toBeAttached();
    const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(wide).toBeLessThanOrEqual(seen ?? 0);
    expect(await page.locator(".card").evaluateAll(whatSticksOut)).toEqual([]);
  });
}

/** Names the elements of cards that reach beyond their card's right edge, those apart that a reader can scroll. */
function whatSticksOut(cards: readonly Element[]): readonly string[] {
  return cards.flatMap((card) => {
    const edge = card.getBoundingClientRect().right;
    const parts = [...card.querySelectorAll("*")].filter(
      (element) => element.closest(".table-scroll, .visually-hidden, svg") === null,
    );
    const out = parts.filter((element) => element.getBoundingClientRect().right > edge + 1);
    return out.map(
      (element) => `${element.tagName}.${element.className} in ${card.querySelector("h2, h3")?.textContent}`,
    );
  });
}

test("at no width does anything move when the script takes over from the page as sent", async ({
  browser,
}) => {
  test.setTimeout(90_000);
  const sent = await skeleton(browser, { javaScriptEnabled: false });
  const taken = await skeleton(browser, { javaScriptEnabled: true });
  await expect(taken.getByRole("button", { name: "Copy link" })).toBeVisible();
  const moved: string[] = [];
  for (const width of WIDTHS) {
    const before = await firstCard(sent, width);
    const after = await firstCard(taken, width);
    const most = Math.max(...after.map((edge, index) => Math.abs(edge - (before[index] ?? Number.NaN))));
    if (!(most < SEEN_PX)) moved.push(`${most} px at a width of ${width} px`);
  }
  expect(moved).toEqual([]);
});

/** Opens the page with an API that never answers, so that it keeps showing its skeleton. */
async function skeleton(browser: Browser, how: { readonly javaScriptEnabled: boolean }): Promise<Page> {
  const page = await browser.newPage(how);
  await page.route("**/api/**", () => undefined);
  await page.goto(pageUrl("rich"));
  return page;
}

/** Returns the edges of the first card: left, top, right, bottom. */
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
