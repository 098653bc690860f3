/** Every state of the page, light and dark, passes axe; with SCREENSHOTS=1, also takes screenshots at two widths. */
import { expect, type Page, test } from "@playwright/test";
import {
  axeViolations,
  CARD,
  choose,
  open,
  openDetails,
  type ScenarioName,
  scrollThrough,
  waitForChart,
} from "./scenarios";
import { takeScreenshot, takeScreenshots } from "./screenshots";

interface State {
  readonly name: string;
  readonly scenario: ScenarioName;
  readonly query?: string;
  readonly prepare?: (page: Page) => Promise<void>;
  readonly expectedText: string;
  readonly screenshot?: Parameters<typeof takeScreenshots>[3];
}

test.describe.configure({ mode: "parallel" });

const STATES: readonly State[] = [
  { name: "default", scenario: "rich", expectedText: "1.73m", prepare: renderEverything },
  {
    name: "published-history-only",
    scenario: "seeded",
    expectedText: "≈ 699k",
    prepare: renderEverything,
  },
  { name: "no-data", scenario: "empty", expectedText: "community-metrics seed" },
  { name: "stale", scenario: "stale", expectedText: "Data is stale" },
  {
    name: "partial-run",
    scenario: "partial",
    expectedText: "The last run was partial",
    prepare: (page) => page.getByText("Show errors").click(),
  },
  {
    name: "unknown-metric",
    scenario: "rich",
    query: "?compare=downloads:lance:pyton,stars:lance:github",
    expectedText: "Did you mean",
  },
  {
    name: "invalid-link",
    scenario: "rich",
    query: "?by=hour",
    expectedText: "Part of this link is invalid",
  },
  {
    name: "compare",
    scenario: "rich",
    query: "?range=all&unit=indexed&compare=stars:lance:github,stars:lancedb:github",
    expectedText: "Comparison",
    prepare: renderEverything,
  },
  {
    name: "tooltip",
    scenario: "rich",
    expectedText: "of 7 days",
    prepare: hoverChart,
    screenshot: { fullPage: false, prepare: hoverChart },
  },
  {
    name: "table",
    scenario: "rich",
    query: "?table=downloads:lancedb&dates=iso",
    expectedText: "2026-W53",
    prepare: renderEverything,
  },
  { name: "embed", scenario: "rich", expectedText: "/api/v1/badge/", prepare: openEmbed },
  {
    name: "export-menu",
    scenario: "rich",
    expectedText: "PNG 16:9, dark",
    prepare: openExport,
    screenshot: { fullPage: false, prepare: openExport },
  },
  {
    name: "menu",
    scenario: "rich",
    expectedText: "Copy text for Slack",
    prepare: (page) => page.getByRole("button", { name: "More" }).click(),
  },
];

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    for (const state of STATES) {
      test(`the ${state.name} state is accessible`, async ({ page }) => {
        await open(page, state.scenario, state.query);
        await state.prepare?.(page);
        await expect(page.getByText(state.expectedText).first()).toBeVisible();
        expect(await axeViolations(page)).toEqual([]);
        await takeScreenshots(page, state.name, colorScheme, state.screenshot);
      });
    }

    test("the page is accessible on a large screen and at 400 % zoom", async ({ page }) => {
      test.setTimeout(150_000); // every chart is drawn, and all of it is examined twice
      await open(page, "rich", "?table=downloads:lancedb");
      await renderEverything(page);
      for (const [device, width, height] of [
        ["narrow", 320, 700],
        ["large", 2560, 1440],
      ] as const) {
        await page.setViewportSize({ width, height });
        await expect(page.locator(CARD).locator(".stage-plot svg")).toBeVisible();
        expect(await axeViolations(page)).toEqual([]);
        await takeScreenshot(page, "table", device, colorScheme);
      }
    });
  });
}

test("stale data is never called good", async ({ page }) => {
  await open(page, "stale");
  await waitForChart(page);
  await scrollThrough(page);
  const state = page.locator(".quality-state");
  await expect(state).toContainText("no new days from");
  await expect(state).not.toContainText("All good");
});

async function renderEverything(page: Page): Promise<void> {
  await waitForChart(page);
  await scrollThrough(page);
  await openDetails(page);
}

async function hoverChart(page: Page): Promise<void> {
  await waitForChart(page);
  const stage = page.locator(`${CARD} .stage-keys`);
  await stage.scrollIntoViewIfNeeded();
  await stage.hover({ position: { x: 300, y: 80 } });
}

async function openEmbed(page: Page): Promise<void> {
  await renderEverything(page);
  await choose(page.locator(CARD), /^Export/, "Embed code");
}

async function openExport(page: Page): Promise<void> {
  await waitForChart(page);
  const button = page.locator(CARD).getByRole("button", { name: /^Export/ });
  await button.scrollIntoViewIfNeeded();
  if ((await button.getAttribute("aria-expanded")) !== "true") await button.click();
}
