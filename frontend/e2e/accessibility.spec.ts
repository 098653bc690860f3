/** Keyboard, theme, locale and rendering without scrolling. */
import { expect, test } from "@playwright/test";
import { choose, figure, open, pageUrl, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

test("Tab reaches every control in page order, with a visible focus ring", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  const reached: string[] = [];
  for (let step = 0; step < 44; step += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const name = element.getAttribute("aria-label") ?? element.textContent ?? "";
      return {
        name: name.trim() || element.tagName,
        hasRing: getComputedStyle(element).outlineStyle !== "none",
      };
    });
    expect.soft(focused.hasRing, focused.name).toBe(true);
    reached.push(focused.name);
  }
  expect(reached[0]).toBe("Skip to content");
  expect(reached.indexOf("Lance")).toBeGreaterThan(reached.indexOf("Previous week"));
  for (const name of ["Day", "Month", "All", "Log", "Indexed to 100", "Python"])
    expect(reached).toContain(name);
  expect(reached.some((name) => name.startsWith("Lance · Downloads, chart"))).toBe(true);
});

test("a menu opens, moves and closes by keyboard, and gives the focus back", async ({ page }) => {
  await open(page, "rich");
  await expect(figure(page)).toBeVisible();
  const button = page.getByRole("button", { name: "More" });
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim());
  await button.focus();
  await page.keyboard.press("ArrowUp");
  expect(await focused()).toBe("Dark");
  await page.keyboard.press("ArrowDown");
  expect(await focused()).toBe("Copy link");
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowUp");
  expect(await focused()).toBe("Light");
  await page.keyboard.press("i");
  expect(await focused()).toContain("ISO dates");
  await expect(page.getByRole("menuitemcheckbox", { name: "ISO dates" })).toHaveAttribute(
    "aria-checked",
    "false",
  );
  await page.keyboard.press("Escape");
  await expect(page.getByRole("menu")).toHaveCount(0);
  await expect(button).toBeFocused();
  await page.keyboard.press("Enter");
  await page.keyboard.press("i");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/dates=iso$/);
});

test("the theme is stored in the browser and not in the URL", async ({ page }) => {
  await open(page, "rich");
  await choose(page, "More", "Dark");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  expect(page.url()).toBe(pageUrl("rich"));
});

test("numbers, days and weeks follow the browser's locale", async ({ browser }) => {
  const context = await browser.newContext({ locale: "de-DE", timezoneId: "America/Los_Angeles" });
  const page = await context.newPage();
  await open(page, "rich");
  await expect(figure(page)).toHaveText("1,73\u00a0Mio.");
  await expect(page.getByText(/11\.[–\s]+17\. Jan(uar|\.)? 2027/).first()).toBeVisible();
  await context.close();
});

test("charts render without scrolling, for print and for navigation by heading", async ({ page }) => {
  await open(page, "rich");
  // two of the 22 families of the products have no values, and so no chart
  await expect(page.locator(".charts .stage-plot svg")).toHaveCount(20, { timeout: 20_000 });
  await expect(page.getByText("No data yet.")).toHaveCount(2);
  await expect(page.locator(".chart-card").filter({ visible: true })).toHaveCount(20);
  await expect(page.getByText(/series with missing days/)).toBeAttached();
});
