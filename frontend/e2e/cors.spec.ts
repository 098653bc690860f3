/** The page and the API on different origins, as on Vercel: only an allowed origin can read. */
import { expect, test } from "@playwright/test";
import { ALLOWED_ORIGIN, figure, REFUSED_ORIGIN, setClock, waitForChart } from "./scenarios";

test("an allowed origin loads", async ({ page }) => {
  await setClock(page, "rich");
  await page.goto(ALLOWED_ORIGIN);
  await expect(figure(page)).toHaveText("1.73m");
  await waitForChart(page);
});

test("the browser blocks another origin, and the page names the setting to check", async ({ page }) => {
  const messages: string[] = [];
  page.on("console", (message) => messages.push(message.text()));
  await setClock(page, "rich");
  await page.goto(REFUSED_ORIGIN);
  await expect(page.getByText("CM_CORS_ORIGINS")).toBeVisible();
  await expect(figure(page)).toBeHidden();
  expect(messages.some((text) => text.includes("blocked by CORS policy"))).toBe(true);
});
