/** A slow API, an API outage and a database outage. All tests use one scenario, so they run one after another. */
import { expect, test } from "@playwright/test";
import { axeViolations, control, figure, open, pageUrl, waitForChart } from "./scenarios";
import { takeScreenshots } from "./screenshots";

/** Longer than the page waits before it shows the slow state; screenshots take extra time. */
const SLOW_S = process.env.SCREENSHOTS ? 16 : 8;

test.beforeEach(async ({ page }) => {
  await control(page, "failing", "slow?s=0");
  await control(page, "failing", "restore");
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("the loading and slow states are accessible", async ({ page }) => {
      await control(page, "failing", `slow?s=${SLOW_S}`);
      await open(page, "failing");
      await expect(page.locator(".skeleton-row").first()).toBeVisible();
      await takeScreenshots(page, "first-load", colorScheme);
      await expect(page.getByText("taking longer than usual")).toBeVisible();
      expect(await axeViolations(page)).toEqual([]);
      await takeScreenshots(page, "slow", colorScheme);
      await control(page, "failing", "slow?s=0");
      await expect(figure(page)).toHaveText("1.73m", { timeout: 18_000 });
    });

    test("an API outage is accessible, without and with saved data", async ({ page }) => {
      await page.route("**/api/**", (route) => route.abort());
      await open(page, "failing");
      await expect(page.getByText("Cannot reach the API").first()).toBeVisible();
      expect(await axeViolations(page)).toEqual([]);
      await takeScreenshots(page, "down", colorScheme);

      await page.unroute("**/api/**");
      await page.getByRole("button", { name: "Try again" }).click();
      await waitForChart(page);
      await page.route("**/api/**", (route) => route.abort());
      await page.reload();
      await expect(page.getByText("Showing data saved in this browser")).toBeVisible();
      await expect(figure(page)).toHaveText("1.73m");
      expect(await axeViolations(page)).toEqual([]);
      await takeScreenshots(page, "down-with-saved-data", colorScheme);
    });

    test("a database outage keeps the last data, with a notice", async ({ page }) => {
      await open(page, "failing");
      await expect(figure(page)).toHaveText("1.73m");
      await control(page, "failing", "break");
      await expect(async () => {
        await page.evaluate(() => dispatchEvent(new Event("online")));
        await expect(page.getByText("The database is not responding")).toBeVisible({ timeout: 2_000 });
      }).toPass({ timeout: 15_000 });
      await expect(figure(page)).toHaveText("1.73m");
      expect(await axeViolations(page)).toEqual([]);
      await takeScreenshots(page, "database-outage", colorScheme);
    });
  });
}

test("reduced motion disables the animation", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await control(page, "failing", "slow?s=1");
  await open(page, "failing");
  const animation = await page
    .locator(".skeleton-row")
    .first()
    .evaluate((bone) => getComputedStyle(bone).animationName);
  expect(animation).toBe("none");
});

test("loaded data stays with a notice if a later request fails", async ({ page }) => {
  await open(page, "failing");
  await expect(figure(page)).toHaveText("1.73m");
  await page.route("**/api/**", (route) => route.abort());
  await page.evaluate(() => dispatchEvent(new Event("online")));
  const notice = page.locator(".notices").getByText("Cannot reach the API");
  await expect(notice).toBeVisible();
  await expect(figure(page)).toHaveText("1.73m");
  await page.unroute("**/api/**");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(notice).toBeHidden();
});

test("what could not be loaded is said: a new range of a chart, the events, and the series of others", async ({
  page,
}) => {
  await page.route("**/api/v1/events?*", (route) => route.abort());
  await page.route("**/api/v1/definitions", (route) => route.abort());
  await open(page, "failing", "?product=lancedb");
  await expect(page.getByText(/^The charts have no events: ./)).toBeVisible();
  await waitForChart(page);
  await page.getByRole("combobox", { name: "Add a series to compare" }).focus();
  await expect(page.getByText(/^The list has no series of others: ./)).toBeVisible();
  await page.route("**/api/v1/dashboard/weekly?*", (route) => route.abort());
  await page.getByRole("button", { name: "All", exact: true }).click();
  const card = page.locator(".chart-card").first();
  await expect(card.getByText(/^The chart has only what was loaded before: ./)).toBeVisible();
  await expect(card.locator(".stage-plot svg").first()).toBeVisible();
});

test("a reload shows the API's current response, not the browser's cached one", async ({ page }) => {
  // without a fake clock, which hides the navigation type from the page
  await page.goto(pageUrl("failing"));
  await expect(figure(page)).toHaveText("1.73m");
  await control(page, "failing", "break");
  await expect(async () => {
    await page.reload();
    await expect(page.getByText("The database is not responding")).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 15_000 });
});
