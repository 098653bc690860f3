/** For everyone: keyboard, language, theme, paper. */
import { expect, test } from "@playwright/test";
import { figure, open, pageUrl, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

test("every control is reached by Tab, in the order of the page, and shows that it is", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  const reached: string[] = [];
  for (let step = 0; step < 32; step += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const name = element.getAttribute("aria-label") ?? element.textContent ?? "";
      return {
        name: name.trim() || element.tagName,
        hasRing: getComputedStyle(element).outlineStyle !== "none",
      };
    });
    expect.soft(at.hasRing, at.name).toBe(true);
    reached.push(at.name);
  }
  expect(reached[0]).toBe("Skip to the numbers");
  for (const name of ["Day", "Month", "All", "Log", "Indexed to 100", "Python"])
    expect(reached).toContain(name);
  expect(reached.some((name) => name.startsWith("Lance · Downloads, chart"))).toBe(true);
});

test("the switch of colours is kept, and a link does not carry it", async ({ page }) => {
  await open(page, "rich");
  await page.getByLabel("Colours").selectOption("dark");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  expect(page.url()).toBe(pageUrl("rich"));
});

test("numbers, days and weeks follow the reader's language", async ({ browser }) => {
  const context = await browser.newContext({ locale: "de-DE", timezoneId: "America/Los_Angeles" });
  const page = await context.newPage();
  await open(page, "rich");
  await expect(figure(page)).toHaveText("1.285.752");
  await expect(page.getByText(/11\.[–\s]+17\. Jan(uar|\.)? 2027/).first()).toBeVisible();
  await context.close();
});

test("a chart that nobody has scrolled to is there all the same, for paper and for jumps by heading", async ({
  page,
}) => {
  await open(page, "rich");
  // two families of ten have no value yet, and say so
  await expect(page.locator(".charts .stage-plot svg")).toHaveCount(8, { timeout: 20_000 });
  await expect(page.getByText("Nothing is known of it yet.")).toHaveCount(2);
  await expect(page.getByRole("heading", { name: "Last runs" })).toBeAttached();
});
