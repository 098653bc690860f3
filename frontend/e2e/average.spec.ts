/** The average of seven days on a chart by day. */
import { expect, test } from "@playwright/test";
import { CARD, open, serverUrl, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

test("a chart by day has the API's average of seven days, labelled, and no other chart has one", async ({
  page,
  request,
}) => {
  await open(page, "rich", "?by=day&range=12w&table=downloads:lancedb&dates=iso");
  await waitForChart(page);
  const card = page.locator(CARD);
  await expect(card.locator(".chart-subtitle")).toContainText("thick: 7-day average");
  const path = "api/v1/dashboard/daily?days=10&metric_id=downloads:lancedb:python";
  const daily = await (await request.get(serverUrl("rich", path))).json();
  const [metric] = daily.products[0].metrics;
  const day = daily.periods.day.at(-1);
  const average = metric.average_7d.at(-1);
  expect(average).toBeGreaterThan(0);
  const row = card.getByRole("row", { name: new RegExp(`^${day}`) });
  await expect(row).toContainText(average.toLocaleString("en-GB"));
  await page.getByRole("button", { name: "Week", exact: true }).click();
  await expect(card.locator(".chart-subtitle")).not.toContainText("average");
  await expect(card.locator(".mark-average path")).toHaveCount(0);
});

test("a missing day leaves a gap in the average", async ({ page }) => {
  await open(page, "rich", "?by=day&range=2026-10-20..2026-11-20&table=downloads:lancedb&dates=iso");
  await waitForChart(page);
  const card = page.locator(CARD);
  // 4 and 5 November are missing: the average is back on the seventh day after them
  for (const [day, has] of [
    ["2026-11-03", true],
    ["2026-11-06", false],
    ["2026-11-11", false],
    ["2026-11-12", true],
  ] as const) {
    const cell = card
      .getByRole("row", { name: new RegExp(`^${day}`) })
      .getByRole("cell")
      .nth(4);
    if (has) await expect(cell).toHaveText(/^[\d,.]+$/);
    else await expect(cell).toContainText("a day is missing");
  }
  const paths = card.locator(".stage-keys .mark-average path");
  expect(await paths.nth(1).getAttribute("d")).toMatch(/^M[^M]+M[^M]+$/);
});
