/** What happened, as flags: reached by the keyboard, in the tooltip, the table and the description. */
import { expect, type Page, test } from "@playwright/test";
import { CARD, open, serverUrl, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

const flags = (page: Page) => page.locator(`${CARD} .flag`);

/** Opens the page of a product with this number of flags: two releases within days share one. */
async function openProduct(page: Page, query = "", count = 3): Promise<void> {
  await open(page, "rich", `?product=lancedb${query}`);
  await waitForChart(page);
  await expect(flags(page)).toHaveCount(count);
}

test("Enter and Space open a flag, Escape closes it and returns to the flag", async ({ page }) => {
  await openProduct(page);
  await page.locator(`${CARD} .stage-keys`).focus();
  await page.keyboard.press("Tab");
  await expect(flags(page).first()).toBeFocused();
  await page.keyboard.press("Enter");
  const panel = page.locator(`${CARD} .event-panel`);
  await expect(panel).toContainText("16 Jun 2026 LanceDB 0.30.0");
  await expect(panel).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(panel).toHaveCount(0);
  await expect(flags(page).first()).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await expect(panel).toContainText("LanceDB 0.31.0");
  await expect(panel).toContainText("LanceDB 0.31.1");
});

test("a cause that a person names is apart from what sources state, with the person's name", async ({
  page,
}) => {
  await openProduct(page);
  await flags(page).last().click();
  const panel = page.locator(`${CARD} .event-panel`);
  await expect(panel.getByRole("heading", { name: "What people say" })).toBeVisible();
  await expect(panel).toContainText("“the talk” — Jane Doe");
});

test("before and after an event has the API's words", async ({ page, request }) => {
  await openProduct(page);
  await flags(page).first().click();
  await page.getByRole("button", { name: "Before and after LanceDB 0.30.0" }).click();
  const path = "api/v1/before-after?metric_id=downloads:lancedb:python&event_id=crates:lancedb@30";
  const { sentence } = await (await request.get(serverUrl("rich", path))).json();
  await expect(page.locator(".before-after li").first()).toHaveText(sentence);
  await expect(page.locator(".before-after li")).toHaveCount(3);
});

test("events are in the tooltip, the table and the description", async ({ page }) => {
  await openProduct(page, "&table=downloads:lancedb&range=2026-06-01..2026-06-28", 1);
  const card = page.locator(CARD);
  await expect(card.getByRole("row", { name: /^Week 25/ })).toContainText("Release: LanceDB 0.30.0");
  await expect(card.locator(".stage > .visually-hidden").first()).toContainText(
    "16 Jun 2026 Release: LanceDB 0.30.0",
  );
  await card.locator(".stage-keys").focus();
  for (const key of ["End", "ArrowLeft"]) await page.keyboard.press(key);
  await expect(card.locator(".tooltip")).toContainText("Release: LanceDB 0.30.0");
  await expect(card.locator("[aria-live]")).toContainText("Release: LanceDB 0.30.0");
});

test("a preview of a release has no flag", async ({ page }) => {
  await openProduct(page);
  await expect(page.locator(`${CARD} .flags`)).not.toContainText("rc");
  for (const flag of await flags(page).all()) await expect(flag).not.toHaveAccessibleName(/rc/);
});
