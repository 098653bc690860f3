/** The page at another origin than the API, as on Vercel: a browser lets the allowed one read, and no other. */
import { expect, test } from "@playwright/test";
import { ALLOWED_ORIGIN, figure, REFUSED_ORIGIN, setClock, waitForChart } from "./scenarios";

test("the allowed origin loads", async ({ page }) => {
  await setClock(page, "rich");
  await page.goto(ALLOWED_ORIGIN);
  await expect(figure(page)).toHaveText("1,285,752");
  await waitForChart(page);
});

test("another origin is refused by the browser, and the page says what to check", async ({ page }) => {
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  await setClock(page, "rich");
  await page.goto(REFUSED_ORIGIN);
  await expect(page.getByText("CM_CORS_ORIGINS")).toBeVisible();
  await expect(figure(page)).toBeHidden();
  expect(said.some((text) => text.includes("blocked by CORS policy"))).toBe(true);
});
