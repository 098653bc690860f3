/** Print: two pages with everything drawn, all rows and no controls. */
import { expect, type Page, test } from "@playwright/test";
import { choose, open, setClock } from "./scenarios";

test.describe.configure({ mode: "parallel" });

/** Two of the 22 families of the products have no values. */
const CHARTS = 20;

/** Waits until every chart is drawn; nobody has scrolled to one. */
async function everythingDrawn(page: Page): Promise<void> {
  await expect(page.locator(".charts .stage-plot svg")).toHaveCount(CHARTS, { timeout: 20_000 });
  await expect(page.getByText("Loading…")).toHaveCount(0);
}

/** Returns the number of pages of a PDF by Chromium, which writes one object for each. */
function pageCount(pdf: Buffer): number {
  return pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
}

test("a fresh page prints on two pages, with every chart and every row", async ({ page }) => {
  await page.emulateMedia({ media: "print" });
  await open(page, "rich");
  await everythingDrawn(page);
  const pdf = await page.pdf({ preferCSSPageSize: true });
  expect(pageCount(pdf)).toBe(2);
  await everythingDrawn(page);
  await expect(page.locator(".product-table tbody tr")).toHaveCount(4);
});

test("a page that was read at the top draws the rest when it is printed", async ({ page }) => {
  await open(page, "rich");
  await expect(page.locator(".product-table tbody tr")).toHaveCount(4);
  await page.emulateMedia({ media: "print" });
  await everythingDrawn(page);
  const [width] = await page
    .locator(".charts .stage-plot svg")
    .evaluateAll((all) => all.map((svg) => svg.getAttribute("width")));
  expect(width).toBe("190");
});

for (const [way, act] of [
  ["the menu", (page: Page) => choose(page, "More", "Print")],
  ["the keyboard", (page: Page) => page.keyboard.press("Control+p")],
] as const) {
  test(`the print dialog opens by ${way} once every chart is drawn`, async ({ page }) => {
    await page.addInitScript(() => {
      window.print = () => {
        const drawn = document.querySelectorAll(".charts .stage-plot svg").length;
        document.documentElement.dataset.printed = `${drawn}`;
      };
    });
    await open(page, "rich");
    await expect(page.locator(".product-table tbody tr")).toHaveCount(4);
    await act(page);
    await expect(page.locator("html")).toHaveAttribute("data-printed", `${CHARTS}`, { timeout: 20_000 });
  });
}

test("paper has light colours, whole sentences and no controls", async ({ page }) => {
  await open(page, "rich");
  await choose(page, "More", "Dark");
  await page.emulateMedia({ media: "print" });
  await everythingDrawn(page);
  const controls = page.locator(
    ".masthead-tools, .toolbar, .actions, .picker, .product-tools, select, input",
  );
  for (const control of await controls.all()) await expect(control).toBeHidden();
  const [background, text] = await page.evaluate(() => {
    const style = getComputedStyle(document.body);
    return [style.backgroundColor, style.color];
  });
  expect([background, text]).toEqual(["rgb(255, 255, 255)", "rgb(21, 32, 43)"]);
  const cut = await page
    .locator(".insight :is(h3, p)")
    .evaluateAll((all) => all.filter((one) => one.scrollHeight > one.clientHeight + 1).length);
  expect(cut).toBe(0);
});

test("a chart that could not be loaded is printed with its title, and as not drawn", async ({ page }) => {
  await page.route(/api\/v1\/dashboard\/weekly\?.*metric_id=stars/, (route) => route.abort());
  await page.emulateMedia({ media: "print" });
  await open(page, "rich");
  const card = page.locator(".chart-card", { has: page.locator(".stage.is-blank") }).first();
  await expect(card.locator(".stage")).toContainText("Cannot reach the API", { timeout: 20_000 });
  await expect(card.locator(".chart-titles")).toBeVisible();
  const words = await card.locator(".stage p").evaluate((text) => getComputedStyle(text, "::after").content);
  expect(words).toBe('" Not drawn."');
  // a family without values has no card, because there is nothing to draw
  for (const empty of await page.getByText("No data yet.").all()) await expect(empty).toBeHidden();
});

test("the ten products of the demo are printed on two pages", async ({ page }) => {
  await page.emulateMedia({ media: "print" });
  await open(page, "demo");
  await expect(page.locator(".product-table tbody tr")).toHaveCount(10);
  await expect(page.locator(".charts .chart-card")).not.toHaveCount(0);
  await expect(page.locator(".charts .stage-plot:empty, .charts .is-pending")).toHaveCount(0);
  await expect(page.getByText("Loading…")).toHaveCount(0, { timeout: 20_000 });
  const pdf = await page.pdf({ preferCSSPageSize: true });
  expect(pageCount(pdf)).toBe(2);
});

test("200 products are printed, every row of them", async ({ page }) => {
  await page.route("**/api/v1/overview", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    const products = Array.from({ length: 200 }, (_, index) => ({
      ...body.products[0],
      product: `product-${index}`,
      display_name: `Product ${index}`,
    }));
    await route.fulfill({ response, json: { ...body, products } });
  });
  await setClock(page, "rich");
  await page.emulateMedia({ media: "print" });
  await open(page, "rich");
  await expect(page.locator(".product-table tbody tr")).toHaveCount(200);
  const pdf = await page.pdf({ preferCSSPageSize: true });
  expect(pageCount(pdf)).toBeGreaterThanOrEqual(3);
  expect(pageCount(pdf)).toBeLessThanOrEqual(7);
});
