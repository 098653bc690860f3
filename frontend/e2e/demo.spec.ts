/** The demo: everything that shows or leaves the page says that its numbers are invented. */
import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { choose, open, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

test("the page of the demo says in its notice, its window and each chart that it is sample data", async ({
  page,
}) => {
  await open(page, "demo");
  await expect(page.locator(".notice", { hasText: "Sample data." })).toContainText(
    "Every number on this page is invented",
  );
  await expect(page).toHaveTitle(/^Sample data: /);
  await waitForChart(page);
  await expect(page.locator(".chart-card").first().locator(".chart-note").first()).toHaveText("Sample data");
});

test("files of the demo say that they are sample data, in their names and in the picture", async ({
  page,
}) => {
  await open(page, "demo");
  await waitForChart(page);
  for (const [item, ending] of [
    ["SVG", "svg"],
    ["CSV, a row for each value", "csv"],
  ] as const) {
    const download = page.waitForEvent("download");
    await choose(page.locator(".chart-card").first(), /^Export/, item);
    const file = await download;
    expect(file.suggestedFilename()).toMatch(new RegExp(`^sample-data-.*\\.${ending}$`));
    if (ending === "svg") expect(readFileSync(await file.path(), "utf8")).toContain(">Sample data: ");
  }
  const slide = page.waitForEvent("download");
  await page.getByRole("button", { name: "Slide" }).click();
  expect((await slide).suggestedFilename()).toMatch(/^sample-data-overview-/);
});

test("the ten products of the demo, with what changed, fit on a screen of 1440 by 900", async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await open(page, "demo");
  await expect(page.locator(".insight")).toHaveCount(4);
  const last = page.locator(".product-table tbody tr").last();
  const bottom = await last.evaluate((row) => row.getBoundingClientRect().bottom);
  expect(bottom).toBeLessThanOrEqual(900);
});
