/** Every state of the page, light and dark: no violation, and with SCREENSHOTS=1 a picture at two widths. */
import { expect, type Page, test } from "@playwright/test";
import { address, drawn, figure, open, order, scrollThrough, violations, type WorldName } from "./worlds";

interface State {
  readonly name: string;
  readonly world: WorldName;
  readonly query?: string;
  readonly reach?: (page: Page) => Promise<void>;
  readonly sees: string;
}

const DOWNLOADS = ".chart-card:has(h3:text('LanceDB · Downloads'))";

const STATES: readonly State[] = [
  { name: "usual", world: "rich", sees: "1,285,752", reach: everything },
  { name: "published-history-only", world: "seeded", sees: "≈ 431,029", reach: everything },
  { name: "no-data", world: "empty", sees: "community-metrics seed" },
  { name: "stale", world: "stale", sees: "The data are stale" },
  {
    name: "partial-run",
    world: "partial",
    sees: "The last run was partial",
    reach: (page) => page.getByText("What failed").click(),
  },
  {
    name: "unknown-metric",
    world: "rich",
    query: "?compare=downloads:lance:pyton,stars:lance:github",
    sees: "Did you mean",
  },
  { name: "unreadable-link", world: "rich", query: "?by=hour", sees: "Part of this link could not be read" },
  {
    name: "compare",
    world: "rich",
    query: "?range=all&unit=indexed&compare=stars:lance:github,stars:lancedb:github",
    sees: "Comparison",
    reach: everything,
  },
  { name: "tooltip", world: "rich", sees: "of 7 days", reach: hover },
  {
    name: "table",
    world: "rich",
    query: "?table=downloads:lancedb&dates=iso",
    sees: "2026-W53",
    reach: everything,
  },
  { name: "embed", world: "rich", sees: "/api/v1/badge/", reach: embed },
];

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    for (const state of STATES) {
      test(`${state.name} is whole for everybody`, async ({ page }) => {
        await open(page, state.world, state.query);
        await state.reach?.(page);
        await expect(page.getByText(state.sees).first()).toBeVisible();
        expect(await violations(page)).toEqual([]);
        await picture(page, state.name, colorScheme);
      });
    }

    test("first load and a slow API are whole for everybody", async ({ page }) => {
      await order(page, "failing", "slow?s=8");
      await open(page, "failing");
      await expect(page.locator(".bone").first()).toBeVisible();
      await picture(page, "first-load", colorScheme);
      await expect(page.getByText("taking longer than usual")).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await picture(page, "slow", colorScheme);
      await order(page, "failing", "slow?s=0");
      await expect(figure(page)).toHaveText("1,285,752", { timeout: 12_000 });
    });

    test("an API that is down, first without and then with an earlier visit, is whole for everybody", async ({
      page,
    }) => {
      await page.route("**/api/**", (route) => route.abort());
      await open(page, "failing");
      await expect(page.getByText("The API cannot be reached").first()).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await picture(page, "down", colorScheme);

      await page.unroute("**/api/**");
      await page.getByRole("button", { name: "Try again" }).click();
      await drawn(page);
      await page.route("**/api/**", (route) => route.abort());
      await page.reload();
      await expect(page.getByText("These are the last good numbers")).toBeVisible();
      await expect(figure(page)).toHaveText("1,285,752");
      expect(await violations(page)).toEqual([]);
      await picture(page, "down-with-last-good", colorScheme);
    });
  });
}

test("a database that goes away leaves the last good numbers, with a word", async ({ page }) => {
  // a clock of the test's own would hide from the page that it is being reloaded
  await page.goto(address("failing"));
  await expect(figure(page)).toHaveText("1,285,752");
  await order(page, "failing", "break");
  try {
    await expect(async () => {
      await page.reload();
      await expect(page.getByText("The database does not answer")).toBeVisible({ timeout: 2_000 });
    }).toPass({ timeout: 15_000 });
    await expect(figure(page)).toHaveText("1,285,752");
  } finally {
    await order(page, "failing", "mend");
  }
});

async function everything(page: Page): Promise<void> {
  await drawn(page);
  await scrollThrough(page);
}

async function hover(page: Page): Promise<void> {
  await drawn(page);
  const stage = page.locator(`${DOWNLOADS} .stage-keys`);
  await stage.scrollIntoViewIfNeeded();
  await stage.hover({ position: { x: 300, y: 80 } });
}

async function embed(page: Page): Promise<void> {
  await drawn(page);
  await page.locator(DOWNLOADS).getByRole("button", { name: /Embed/ }).click();
}

async function picture(page: Page, name: string, theme: string): Promise<void> {
  if (!process.env.SCREENSHOTS) return;
  const isWhole = name !== "tooltip";
  for (const [device, width, height] of [
    ["laptop", 1280, 860],
    ["phone", 390, 844],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(350);
    if (name === "tooltip") await hover(page);
    await page.screenshot({
      path: `test-results/screenshots/${name}-${device}-${theme}.png`,
      fullPage: isWhole,
    });
  }
  await page.setViewportSize({ width: 1280, height: 860 });
}
