/** An API that is slow, away or without its database; one world, so these tests run one after the other. */
import { expect, test } from "@playwright/test";
import { axeViolations, control, figure, open, pageUrl, waitForChart } from "./scenarios";
import { takeScreenshots } from "./screenshots";

/** Longer than the page waits before it says so; taking pictures in the meantime takes its time. */
const SLOW_S = process.env.SCREENSHOTS ? 16 : 8;

test.beforeEach(async ({ page }) => {
  await control(page, "failing", "slow?s=0");
  await control(page, "failing", "mend");
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("first load and a slow API are whole for everybody", async ({ page }) => {
      await control(page, "failing", `slow?s=${SLOW_S}`);
      await open(page, "failing");
      await expect(page.locator(".skeleton-row").first()).toBeVisible();
      await takeScreenshots(page, "first-load", colorScheme);
      await expect(page.getByText("taking longer than usual")).toBeVisible();
      expect(await axeViolations(page)).toEqual([]);
      await takeScreenshots(page, "slow", colorScheme);
      await control(page, "failing", "slow?s=0");
      await expect(figure(page)).toHaveText("1,285,752", { timeout: 18_000 });
    });

    test("an API that is down, first without and then with an earlier visit, is whole for everybody", async ({
      page,
    }) => {
      await page.route("**/api/**", (route) => route.abort());
      await open(page, "failing");
      await expect(page.getByText("The API cannot be reached").first()).toBeVisible();
      expect(await axeViolations(page)).toEqual([]);
      await takeScreenshots(page, "down", colorScheme);

      await page.unroute("**/api/**");
      await page.getByRole("button", { name: "Try again" }).click();
      await waitForChart(page);
      await page.route("**/api/**", (route) => route.abort());
      await page.reload();
      await expect(page.getByText("These are the last good numbers")).toBeVisible();
      await expect(figure(page)).toHaveText("1,285,752");
      expect(await axeViolations(page)).toEqual([]);
      await takeScreenshots(page, "down-with-last-good", colorScheme);
    });

    test("a database that goes away leaves the last good numbers, with a word", async ({ page }) => {
      await open(page, "failing");
      await expect(figure(page)).toHaveText("1,285,752");
      await control(page, "failing", "break");
      await expect(async () => {
        await page.evaluate(() => dispatchEvent(new Event("online")));
        await expect(page.getByText("The database does not answer")).toBeVisible({ timeout: 2_000 });
      }).toPass({ timeout: 15_000 });
      await expect(figure(page)).toHaveText("1,285,752");
      expect(await axeViolations(page)).toEqual([]);
      await takeScreenshots(page, "database-away", colorScheme);
    });
  });
}

test("less motion is asked for and none is shown", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await control(page, "failing", "slow?s=1");
  await open(page, "failing");
  const animation = await page
    .locator(".skeleton-row")
    .first()
    .evaluate((bone) => getComputedStyle(bone).animationName);
  expect(animation).toBe("none");
});

test("numbers on screen stay there when a later request fails, and say so", async ({ page }) => {
  await open(page, "failing");
  await expect(figure(page)).toHaveText("1,285,752");
  await page.route("**/api/**", (route) => route.abort());
  await page.evaluate(() => dispatchEvent(new Event("online")));
  const notice = page.locator(".notices").getByText("The API cannot be reached");
  await expect(notice).toBeVisible();
  await expect(figure(page)).toHaveText("1,285,752");
  await page.unroute("**/api/**");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(notice).toBeHidden();
});

test("who reloads the page is shown what the API says now, not what the browser had", async ({ page }) => {
  // a clock of the test's own would hide from the page that it is being reloaded
  await page.goto(pageUrl("failing"));
  await expect(figure(page)).toHaveText("1,285,752");
  await control(page, "failing", "break");
  await expect(async () => {
    await page.reload();
    await expect(page.getByText("The database does not answer")).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 15_000 });
});
