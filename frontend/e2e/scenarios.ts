/** The scenarios of `tests/support/dashboard_server.py`, and helpers that all tests share. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, type Locator, type Page, test } from "@playwright/test";
import { SITE_PROJECT } from "./static-specs.ts";

// below the ephemeral ports
const BASE = 24_170;
const RICH_NOW = "2027-01-20T12:00:00Z";
export const ALLOWED_ORIGIN = `http://127.0.0.1:${BASE + 20}`;
export const REFUSED_ORIGIN = `http://127.0.0.1:${BASE + 21}`;

export const SCENARIOS = {
  rich: { port: BASE, now: RICH_NOW },
  seeded: { port: BASE + 1, now: "2026-11-23T12:00:00Z" },
  empty: { port: BASE + 2, now: RICH_NOW },
  stale: { port: BASE + 3, now: "2027-02-08T12:00:00Z" },
  partial: { port: BASE + 4, now: RICH_NOW },
  failing: { port: BASE + 5, now: RICH_NOW },
  big: { port: BASE + 6, now: RICH_NOW },
  today: { port: BASE + 7, now: null },
  demo: { port: BASE + 8, now: RICH_NOW },
} as const;
export type ScenarioName = keyof typeof SCENARIOS;

/** Sites are at a sub-path of other ports. */
const SITES = 30;
/** Sites by scenario; a stale one is the same site, opened later. Tests of other scenarios are skipped. */
const SITE_OF: Partial<Record<ScenarioName, ScenarioName>> = {
  rich: "rich",
  stale: "rich",
  seeded: "seeded",
  today: "today",
};

export function pageUrl(scenario: ScenarioName, query = ""): string {
  if (test.info().project.name === SITE_PROJECT) {
    const site = SITE_OF[scenario];
    test.skip(site === undefined, `the scenario ${scenario} has no site`);
    return `http://127.0.0.1:${SCENARIOS[site ?? scenario].port + SITES}/some/where/${query}`;
  }
  return serverUrl(scenario, query);
}

/** Returns the address of an answer for other programs: of the API, or the file of a site. */
export function answerUrl(scenario: ScenarioName, path: string): string {
  const isFile = test.info().project.name === SITE_PROJECT;
  return pageUrl(scenario, `api/v1/${isFile ? path.replaceAll(":", "~") : path}`);
}

/** Returns the address of a scenario's server, whatever the project. */
export function serverUrl(scenario: ScenarioName, query = ""): string {
  return `http://127.0.0.1:${SCENARIOS[scenario].port}/${query}`;
}

/** Sets the page's clock to the scenario's time. */
export async function setClock(page: Page, scenario: ScenarioName): Promise<void> {
  const { now } = SCENARIOS[scenario];
  if (now !== null) await page.clock.setFixedTime(new Date(now));
}

/** Opens the page of a scenario; the test fails on a script error or a policy violation. */
export async function open(page: Page, scenario: ScenarioName, query = ""): Promise<void> {
  page.on("pageerror", (error) => expect.soft(error.message, "script error").toBe(""));
  page.on("console", (message) => {
    if (/Content Security Policy|TrustedHTML/.test(message.text())) expect.soft(message.text()).toBe("");
  });
  await setClock(page, scenario);
  await page.goto(pageUrl(scenario, query));
}

/** Scrolls to the first chart and waits until it is drawn. */
export async function waitForChart(page: Page): Promise<void> {
  await page.locator(".chart-card").first().scrollIntoViewIfNeeded();
  await expect(page.locator(".stage-plot svg").first()).toBeVisible({ timeout: 20_000 });
}

/** The chart that most tests use. */
export const CARD = '.chart-card[data-chart="downloads:lancedb"]';

/** The first number of the rich scenario: the downloads of LanceDB, 1,734,614. */
export function figure(page: Page): Locator {
  return page.locator('[data-product="lancedb"]');
}

/** Sends a command to a scenario: `slow?s=6`, `break` or `restore`. */
export async function control(page: Page, scenario: ScenarioName, command: string): Promise<void> {
  await page.request.post(pageUrl(scenario, `__${command}`));
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** Returns axe's violations on the page as `rule: element`. */
export async function axeViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const result = (await page.evaluate(
    (values) =>
      (globalThis as unknown as { axe: { run: (o: unknown) => Promise<unknown> } }).axe.run({
        runOnly: { type: "tag", values },
      }),
    RULES,
  )) as AxeResult;
  return result.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
}

/** Chooses an item of a menu: of the page's, or of a chart's. */
export async function choose(scope: Page | Locator, menu: string | RegExp, item: string): Promise<void> {
  await scope.getByRole("button", { name: menu }).click();
  await scope.locator(".menu-item", { hasText: item }).click();
}

/** Opens the tables of the data section. */
export async function openDetails(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Show series, losses, outages, restatements and runs" }).click();
  // their request follows when the section is near the viewport; the seeded history has none
  const restatements = page.getByRole("region", { name: "Restatements" });
  await expect(restatements.or(page.getByText("No restatements."))).toBeAttached();
}

/** Scrolls through the page, so that every chart is drawn. */
export async function scrollThrough(page: Page): Promise<void> {
  const height = await page.evaluate(() => document.body.scrollHeight);
  for (let y = 0; y < height; y += 700) {
    await page.evaluate((to) => scrollTo(0, to), y);
    await page.waitForTimeout(60);
  }
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(250);
}
