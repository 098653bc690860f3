/** The page with 500 metrics and ten years of data. */
import { expect, type Page, test } from "@playwright/test";
import { choose, open, scrollThrough, waitForChart } from "./scenarios";

const MAX_MS = 200;

declare global {
  interface Window {
    slowest: number;
  }
}

/** Records the longest time from an interaction to its next paint, measured by the browser. */
async function watchInteractions(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.slowest = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEventTiming & { interactionId: number })[]) {
        if (entry.interactionId > 0) window.slowest = Math.max(window.slowest, entry.duration);
      }
    }).observe({ type: "event", durationThreshold: 16, buffered: true } as PerformanceObserverInit);
  });
}

/** Other processes can only slow a measurement down, so the best of three rounds counts. */
const ROUNDS = 3;

test("every interaction paints within 200 ms", async ({ page }) => {
  test.setTimeout(150_000);
  await watchInteractions(page);
  const best: Record<string, number> = {};
  for (let round = 0; round < ROUNDS; round += 1) {
    await open(page, "big", "?range=all");
    for (const [name, ms] of Object.entries(await measuredRound(page)))
      best[name] = Math.min(best[name] ?? ms, ms);
    if (Object.values(best).every((ms) => ms <= MAX_MS)) break;
  }
  console.log(JSON.stringify(best));
  for (const [name, ms] of Object.entries(best)) expect.soft(ms, name).toBeLessThanOrEqual(MAX_MS);
});

async function measuredRound(page: Page): Promise<Readonly<Record<string, number>>> {
  await waitForChart(page);
  await scrollThrough(page);
  await page.waitForTimeout(500);
  return measured(page, actions(page));
}

/** Returns the longest time to the next paint of each interaction. */
async function measured(
  page: Page,
  interactions: Readonly<Record<string, () => Promise<void>>>,
): Promise<Readonly<Record<string, number>>> {
  const slowest: Record<string, number> = {};
  for (const [name, act] of Object.entries(interactions)) {
    await page.evaluate(() => {
      window.slowest = 0;
    });
    await act();
    await page.waitForTimeout(400);
    slowest[name] = await page.evaluate(() => window.slowest);
  }
  return slowest;
}

function actions(page: Page): Readonly<Record<string, () => Promise<void>>> {
  const toolbar = page.locator(".toolbar");
  const click = (name: string) => () => toolbar.getByRole("button", { name, exact: true }).click();
  return {
    log: click("Log"),
    cumulative: click("Cumulative"),
    indexed: click("Indexed to 100"),
    year: click("1 year"),
    all: click("All"),
    month: click("Month"),
    week: click("Week"),
    iso: () => choose(page, "More", "ISO dates"),
    hide: () => page.locator(".legend button").first().click(),
    arrowKeys: async () => {
      await page.locator(".stage-keys").first().focus();
      for (let step = 0; step < 5; step += 1) await page.keyboard.press("ArrowLeft");
    },
    table: () =>
      page
        .getByRole("button", { name: /Show table/ })
        .first()
        .click(),
    type: () => page.getByLabel("Add a series to compare").pressSequentially("downloads:p1:m6"),
    compare: () => page.keyboard.press("Enter"),
    sort: () => page.locator(".product-table").getByRole("button", { name: "Product" }).click(),
  };
}

test("with 200 products search, sort and grouping paint within 200 ms, and only rows near the screen are drawn", async ({
  page,
}) => {
  test.setTimeout(90_000);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.route("**/api/v1/overview", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    const products = Array.from({ length: 200 }, (_, index) => ({
      ...body.products[index % body.products.length],
      product: `product-${index}`,
      display_name: `Product ${index}`,
    }));
    await route.fulfill({ response, json: { ...body, products } });
  });
  await watchInteractions(page);
  const best: Record<string, number> = {};
  for (let round = 0; round < ROUNDS; round += 1) {
    await open(page, "rich");
    await expect(page.locator(".product-table")).toHaveAttribute("aria-rowcount", "201");
    await page.waitForTimeout(500);
    expect(await page.locator(".product-table tbody tr").count()).toBeLessThan(60);
    for (const [name, ms] of Object.entries(await measured(page, tableActions(page))))
      best[name] = Math.min(best[name] ?? ms, ms);
    if (Object.values(best).every((ms) => ms <= MAX_MS)) break;
  }
  console.log(JSON.stringify(best));
  for (const [name, ms] of Object.entries(best)) expect.soft(ms, name).toBeLessThanOrEqual(MAX_MS);
});

function tableActions(page: Page): Readonly<Record<string, () => Promise<void>>> {
  const table = page.locator(".product-table");
  const group = page.getByRole("combobox", { name: "Group products" });
  const search = page.getByRole("searchbox", { name: "Search products" });
  return {
    sortByName: () => table.getByRole("button", { name: "Product" }).click(),
    sortByYear: () => table.getByRole("button", { name: "on year" }).click(),
    group: async () => {
      await group.focus();
      await page.keyboard.press("ArrowDown");
    },
    type: () => search.pressSequentially("uct 19"),
    clear: () => search.press("Control+a").then(() => search.press("Delete")),
  };
}

test("a chart shows eight of 500 metrics, and others are added by name", async ({ page }) => {
  await open(page, "big");
  await waitForChart(page);
  const card = page.locator(".chart-card").first();
  await expect(card.locator(".legend button")).toHaveCount(8);
  await card.getByRole("combobox", { name: "Add a series" }).fill("downloads:p0:m5");
  await page.keyboard.press("Enter");
  await expect(card.locator(".legend button")).toHaveCount(9);
  await expect(page).toHaveURL(/add=downloads:p0:m5$/);
});
