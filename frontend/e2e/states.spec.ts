/** Every state of the page, light and dark: no violation, and with SCREENSHOTS=1 a picture at two widths. */
import { expect, type Page, test } from "@playwright/test";
import { CARD, drawn, open, scrollThrough, violations, type WorldName } from "./scenarios";
import { picture, pictureNow } from "./screenshots";

interface State {
  readonly name: string;
  readonly world: WorldName;
  readonly query?: string;
  readonly reach?: (page: Page) => Promise<void>;
  readonly sees: string;
  readonly pictured?: Parameters<typeof picture>[3];
}

test.describe.configure({ mode: "parallel" });

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
  {
    name: "tooltip",
    world: "rich",
    sees: "of 7 days",
    reach: hover,
    pictured: { fullPage: false, again: hover },
  },
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
        await picture(page, state.name, colorScheme, state.pictured);
      });
    }

    test("a phone, a wall and a page at 400 % are whole for everybody", async ({ page }) => {
      await open(page, "rich", "?table=downloads:lancedb");
      await everything(page);
      for (const [device, width, height] of [
        ["narrow", 320, 700],
        ["wall", 2560, 1440],
      ] as const) {
        await page.setViewportSize({ width, height });
        await expect(page.locator(CARD).locator(".stage-plot svg")).toBeVisible();
        expect(await violations(page)).toEqual([]);
        await pictureNow(page, "table", device, colorScheme);
      }
    });
  });
}

test("paper shows every chart in light colours and no controls", async ({ page }) => {
  await open(page, "rich");
  await page.getByLabel("Colours").selectOption("dark");
  await everything(page);
  await page.emulateMedia({ media: "print" });
  await expect(page.locator(".toolbar")).toBeHidden();
  await expect(page.locator(".charts .stage-plot svg")).toHaveCount(8);
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  expect(ground).toBe("rgb(255, 255, 255)");
  const ink = await page.evaluate(() => getComputedStyle(document.body).color);
  expect(ink).toBe("rgb(21, 32, 43)");
  await pictureNow(page, "usual", "paper", "light");
});

async function everything(page: Page): Promise<void> {
  await drawn(page);
  await scrollThrough(page);
}

async function hover(page: Page): Promise<void> {
  await drawn(page);
  const stage = page.locator(`${CARD} .stage-keys`);
  await stage.scrollIntoViewIfNeeded();
  await stage.hover({ position: { x: 300, y: 80 } });
}

async function embed(page: Page): Promise<void> {
  await everything(page);
  await page.locator(CARD).getByRole("button", { name: /Embed/ }).click();
}
