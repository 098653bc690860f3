/** The table of products: what a row shows, and which products have one. */
import { expect, test } from "@playwright/test";
import { open, pageUrl, serverUrl, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

/** What a test reads of `/overview`. */
interface OverviewOf {
  readonly products: readonly {
    readonly product: string;
    readonly total: {
      readonly value: number;
      readonly sdks: readonly { readonly value: number }[];
      readonly weeks: readonly (number | null)[];
    } | null;
  }[];
}

test("a product of which nothing is known has neither a row nor a chart, only its link in one line", async ({
  page,
}) => {
  await open(page, "seeded");
  await waitForChart(page);
  await expect(page.locator("[data-product]")).toHaveCount(2);
  await page.getByText("2 products have no value yet and no row above.").click();
  await expect(page.locator('.chart-card[data-chart$=":lance"]')).not.toHaveCount(0);
  await expect(page.locator('.chart-card[data-chart*=":lance-"]')).toHaveCount(0);
  await page.getByRole("link", { name: "Lance Graph" }).click();
  await expect(page).toHaveURL(/product=lance-graph$/);
  await expect(page.locator('.chart-card[data-chart*=":lance-graph"]')).not.toHaveCount(0);
});

test("the parts of a product are of one week, that of its value, and add up to it", async ({
  page,
  request,
}) => {
  // Node.js is not complete in week 45: no part is of another week than the value
  await open(page, "rich", "?week=2026-W45");
  const row = page.locator(".product-table tbody tr", { has: page.locator("[data-product=lancedb]") });
  await expect(row.locator(".tag")).toHaveText("week 44");
  const path = "api/v1/overview?week=2026-W44";
  const body: OverviewOf = await (await request.get(serverUrl("rich", path))).json();
  const total = body.products.find(({ product }) => product === "lancedb")?.total;
  expect(total?.sdks.reduce((sum, { value }) => sum + value, 0)).toBe(total?.value);
  const shares = total?.sdks.map(({ value }) => ((value / (total?.value ?? 1)) * 100).toFixed(1));
  expect(shares).toHaveLength(3);
  for (const share of shares ?? []) await expect(row.locator(".sdk-column")).toContainText(`${share}%`);
});

test("a product that lost much is shown, and comes first by its fall", async ({ page }) => {
  await page.route("**/api/v1/overview", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    for (const { product, total } of body.products)
      if (product === "lance") total.change = { absolute: -500_000, fraction: -0.64 };
    await route.fulfill({ response, json: body });
  });
  await open(page, "rich");
  const rows = page.locator(".product-table tbody tr");
  await expect(rows.filter({ hasText: "\u221264%" }).getByRole("rowheader")).toContainText("Lance");
  await page.goto(pageUrl("rich", "?sort=products.change.asc"));
  await expect(rows.first()).toContainText(/^Lance .*\u221264%/);
});

test("a sparkline begins at zero: the height of each week is its value", async ({ page, request }) => {
  await open(page, "rich");
  const row = page.locator(".product-table tbody tr", { has: page.locator("[data-product=lancedb]") });
  const drawn = (await row.locator(".spark-line").first().getAttribute("d")) ?? "";
  const heights = [...drawn.matchAll(/[ML][\d.]+ ([\d.]+)/g)].map(([, y]) => 100 - Number(y));
  const body: OverviewOf = await (await request.get(serverUrl("rich", "api/v1/overview"))).json();
  const weeks = body.products.find(({ product }) => product === "lancedb")?.total?.weeks ?? [];
  const known = weeks.filter((value) => value !== null);
  expect(heights).toHaveLength(known.length);
  const highest = Math.max(...known);
  for (const [at, value] of known.entries()) expect(heights[at]).toBeCloseTo((value / highest) * 100, 0);
  // the ground is the zero of these heights
  await expect(row.locator(".spark-ground")).toHaveAttribute("d", "M0 100H100");
});
