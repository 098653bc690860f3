/** Series beside each other: found by any part of a name, on one axis for each unit, or refused with a sentence. */
import { expect, type Page, test } from "@playwright/test";
import { axeViolations, open, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

const RIVAL = "downloads:lancedb:rival";
const field = (page: Page) => page.getByRole("combobox", { name: "Add a series to compare" });

test("series of different products are found by any part of a name, and added by the keyboard", async ({
  page,
}) => {
  await open(page, "rich");
  await field(page).click();
  await field(page).pressSequentially("graph stars git");
  const options = page.getByRole("listbox").getByRole("option");
  await expect(options.first()).toContainText("Lance Graph stars");
  await expect(field(page)).toHaveAttribute("aria-expanded", "true");
  await page.keyboard.press("ArrowDown");
  const active = await field(page).getAttribute("aria-activedescendant");
  await expect(page.locator(`[id="${active}"]`)).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await field(page).pressSequentially("stars:lancedb");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/compare=stars:lance-graph:github,stars:lancedb:github$/);
  await expect(page.locator(".compare .legend button")).toHaveCount(2);
  await expect(page.locator(".compare .stage-plot svg")).toBeVisible();
});

test("the list says when no name has the text, and Escape closes it", async ({ page }) => {
  await open(page, "rich");
  await field(page).fill("nothing of the kind");
  await expect(page.getByText("No series has “nothing of the kind” in its name.")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(field(page)).toHaveAttribute("aria-expanded", "false");
  await page.keyboard.press("Escape");
  await expect(field(page)).toHaveValue("");
});

test("a chip removes its series", async ({ page }) => {
  await open(page, "rich", "?compare=stars:lance:github,stars:lancedb:github");
  await page.getByRole("button", { name: /^Remove Lance stars/ }).click();
  await expect(page).toHaveURL(/compare=stars:lancedb:github$/);
});

test("unlike series are refused with the API's sentence", async ({ page }) => {
  await open(page, "rich", "?compare=downloads:lance:python,stars:lance:github,downloads_30d:lance:python");
  const refused = page.getByRole("list", { name: "Not compared" }).getByRole("listitem");
  await expect(refused).toHaveText([
    /^Lance stars .* is a level, but Lance for Python .* is an amount of each period\.$/,
    /is a rolling total of 30 days, but Lance for Python .* is an amount of each period\.$/,
  ]);
});

test("a series is refused across a day from which its source counts in another way", async ({ page }) => {
  const query = "?compare=downloads:lance:python,downloads:lance:rust";
  await open(page, "rich", `${query}&range=all`);
  await expect(page.getByRole("list", { name: "Not compared" })).toContainText(
    "is counted in another way since 2025-10-27",
  );
  await open(page, "rich", query);
  await expect(page.locator(".compare .legend button")).toHaveCount(2);
  await expect(page.getByRole("list", { name: "Not compared" })).toHaveCount(0);
});

test("each unit has an axis, and the advice to index puts all series on one", async ({ page }) => {
  await open(page, "rich", "?compare=downloads:lancedb:python,stars_retained:lancedb:github");
  await expect(page.locator(".compare .chart-card")).toHaveCount(2);
  await expect(page.locator(".advice")).toContainText("several units (downloads, stars)");
  await page.getByRole("button", { name: "Index to 100" }).click();
  await expect(page).toHaveURL(/unit=indexed/);
  await expect(page.locator(".compare .chart-card")).toHaveCount(1);
  await expect(page.locator(".advice")).toHaveCount(0);
});

test("sizes that are far apart get the advice of a log scale", async ({ page }) => {
  await open(page, "rich", "?compare=downloads:lancedb:python,downloads:lancedb:rust");
  await expect(page.locator(".advice")).toContainText(/is \d+ times as large as/);
  await page.getByRole("button", { name: "Use a log scale" }).click();
  await expect(page).toHaveURL(/scale=log/);
  await expect(page.locator(".advice")).toHaveCount(0);
});

test("series begin together at their first days, and the axis counts periods", async ({ page }) => {
  await open(page, "rich", `?compare=downloads:lancedb:python,${RIVAL}`);
  await page.getByLabel(/^Align at launch/).check();
  await expect(page).toHaveURL(/align=launch/);
  await waitForChart(page);
  const card = page.locator(".compare .chart-card");
  await expect(card.locator(".stage-plot svg")).toBeVisible();
  await card.locator(".stage-keys").focus();
  await page.keyboard.press("Home");
  await expect(card.locator(".tooltip-title")).toHaveText("Week 1 since the start");
  await expect(card.locator(".tooltip li").nth(0)).toContainText("2025");
  await expect(card.locator(".tooltip li").nth(1)).toContainText("2026");
});

test("somebody else's series is grey, and in no total, headline or row", async ({ page }) => {
  await open(page, "rich", `?compare=downloads:lancedb:python,${RIVAL}`);
  const card = page.locator(".compare .chart-card");
  await card.scrollIntoViewIfNeeded();
  await expect(card.locator(".mark-line path[stroke='var(--watched)']").first()).toBeAttached();
  await expect(card.locator(".legend button", { hasText: "Rival" }).locator(".fill-watched")).toBeAttached();
  await expect(page.locator("[data-product=lancedb]")).toHaveText("1.73m");
  await expect(page.locator(".headline")).toContainText("2.06m downloads last week");
  await expect(page.locator(".insights, .product-table")).not.toContainText(["Rival", "Rival"]);
  await expect(page.getByText(/^Unknown metric/)).toHaveCount(0);
});

for (const theme of ["light", "dark"] as const) {
  test(`axe finds nothing while the list is open in ${theme}`, async ({ browser }) => {
    const page = await browser.newPage({ colorScheme: theme });
    await open(page, "rich", `?compare=downloads:lancedb:python,${RIVAL},stars:lance:github`);
    await expect(page.getByRole("list", { name: "Not compared" })).toBeVisible();
    await field(page).fill("lance");
    await expect(page.getByRole("listbox").getByRole("option").first()).toBeVisible();
    expect(await axeViolations(page)).toEqual([]);
    await page.close();
  });
}
