/** Downloads, links, and badges for a README. */
import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { CARD, open, pageUrl, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

for (const kind of ["csv", "svg", "png"] as const) {
  test(`a chart downloads as ${kind}`, async ({ page }) => {
    await open(page, "rich");
    await waitForChart(page);
    const download = page.waitForEvent("download");
    await page.locator(CARD).getByRole("button", { name: kind.toUpperCase() }).click();
    const file = await download;
    const content = readFileSync(await file.path());
    expect(file.suggestedFilename()).toBe(`downloads-lancedb-2027-01-17.${kind}`);
    if (kind === "csv")
      expect(content.toString()).toContain(
        "downloads:lancedb:python,downloads,2027-W02,2027-01-11,2027-01-17,1285752,",
      );
    if (kind === "svg") expect(content.toString()).not.toMatch(/var\(|light-dark/);
    if (kind === "svg") expect(content.toString()).toContain("LanceDB · Downloads");
    if (kind === "png") expect(content.subarray(1, 4).toString()).toBe("PNG");
  });
}

test("Copy link copies the URL of the current view", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, "rich", "?by=day&range=12w");
  await page.getByRole("button", { name: "Copy link" }).click();
  await expect(page.getByText("Link to this view copied.")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    pageUrl("rich", "?by=day&range=12w"),
  );
});

test("a CSV file has only the visible series and weeks", async ({ page }) => {
  await open(page, "rich", "?range=12w&hide=downloads:lancedb:rust");
  await waitForChart(page);
  const download = page.waitForEvent("download");
  await page.locator(CARD).getByRole("button", { name: "CSV" }).click();
  const lines = readFileSync(await (await download).path(), "utf8")
    .trim()
    .split("\r\n")
    .slice(1);
  const rowCount = (id: string) => lines.filter((line) => line.startsWith(`downloads:lancedb:${id},`)).length;
  expect([rowCount("python"), rowCount("nodejs"), rowCount("rust")]).toEqual([13, 13, 0]); // 12 weeks and the running week
});

test("the embed panel shows badges and sparklines, and copies their Markdown", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, "rich");
  await waitForChart(page);
  const card = page.locator(CARD);
  await card.getByRole("button", { name: /Embed/ }).click();
  const images = card.locator(".embed img");
  await expect(images).toHaveCount(6);
  for (const element of await images.all())
    await expect
      .poll(() => element.evaluate((img) => (img as HTMLImageElement).naturalWidth))
      .toBeGreaterThan(0);
  await card.getByRole("button", { name: /Copy Markdown for Python: latest/ }).click();
  const badge = pageUrl("rich", "api/v1/badge/downloads:lancedb:python.svg");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    `![Python: latest complete week](${badge})`,
  );
});
