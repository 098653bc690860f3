/** The page as static files: opened as a file and at a sub-path, and what it says needs a server. */
import { expect, type Page, test } from "@playwright/test";
import {
  axeViolations,
  CARD,
  choose,
  figure,
  open,
  openDetails,
  pageUrl,
  scrollThrough,
  serverUrl,
  setClock,
  waitForChart,
} from "./scenarios";

test.describe.configure({ mode: "parallel" });

/** Opens the folder of the rich scenario's site as a file; the test fails on an error or a refused request. */
async function openFile(page: Page, query = ""): Promise<void> {
  page.on("pageerror", (error) => expect.soft(error.message, "script error").toBe(""));
  page.on("console", (message) => {
    if (message.type() === "error") expect.soft(message.text()).toBe("");
  });
  page.on("request", (request) => expect.soft(request.url()).toMatch(/^(file|data|blob):/));
  const database = await (await page.request.post(serverUrl("rich", "__database"))).text();
  await setClock(page, "rich");
  await page.goto(`file://${database.replace("metrics.lancedb", "site/index.html")}${query}`);
}

test("the folder opens as a file: numbers, charts, every grain and the back button", async ({ page }) => {
  await openFile(page);
  await expect(figure(page)).toHaveText("1.73m");
  await waitForChart(page);
  await page.getByRole("button", { name: "Day", exact: true }).click();
  await expect(page).toHaveURL(/^file:.*\?by=day$/);
  await expect(page.locator(`${CARD} .stage-plot svg`)).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/index\.html$/);
});

test("a link into the folder opens a product with its events, as a file", async ({ page }) => {
  await openFile(page, "?product=lancedb");
  await waitForChart(page);
  await expect(page.locator(".flags li").first()).toBeAttached();
});

test("the page says when it was frozen, and what needs a server", async ({ page }) => {
  await open(page, "rich");
  await expect(page.locator(".masthead-status")).toContainText("frozen copy, as of 20 Jan 2027, 09:01 UTC");
  await expect(page.locator(".masthead-status")).not.toContainText("team");
  await expect(page.locator(".footer")).toContainText("need a server");
});

test("weeks that are not in the copy cannot be chosen, and a link to one leads to the newest", async ({
  page,
}) => {
  await open(page, "rich", "?week=2026-W44");
  const previous = page.getByRole("button", { name: "Previous week" });
  await expect(previous).toHaveAttribute("aria-disabled", "true");
  await expect(previous).toHaveAttribute("title", /not in this copy/);
  await page.goto(pageUrl("rich", "?week=2026-W20"));
  await expect(page.getByRole("alert")).toContainText("Not in this copy");
  await page.getByRole("button", { name: "Open the newest week" }).click();
  await expect(figure(page)).toHaveText("1.73m");
});

test("series are compared in the folder as a file, and one that it lacks is named", async ({ page }) => {
  await openFile(page, "?compare=downloads:lance:python,stars:lance:github,downloads:lance:rust");
  await page.locator(".compare").scrollIntoViewIfNeeded();
  await expect(page.locator(".compare .legend button")).toHaveCount(2);
  await expect(page.locator(".compare .stage-plot svg")).toBeVisible();
  await expect(page.getByRole("list", { name: "Not compared" })).toContainText("is a level, but");
  await openFile(page, "?compare=downloads:lance:pyton");
  await expect(page.locator(".compare")).toContainText("does not have the metric downloads:lance:pyton");
});

test("the feeds of the published folder are linked, and each of their links leads to it", async ({
  page,
}) => {
  await open(page, "rich");
  await scrollThrough(page);
  await openDetails(page);
  await expect(page.getByRole("link", { name: "Atom feed" })).toHaveAttribute(
    "href",
    "./api/v1/outages.atom",
  );
  const answer = await page.request.get(pageUrl("rich", "api/v1/insights.atom"));
  const links = [...(await answer.text()).matchAll(/href="([^"]+)"/g)].map(([, link]) => link ?? "");
  expect(links.length).toBeGreaterThan(3);
  expect(links.filter((link) => !link.startsWith(pageUrl("rich")))).toEqual([]);
  await page.goto(links[1]?.replace("&amp;", "&") ?? "");
  await expect(page.locator(".headline, .product-title").first()).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("pictures for a README are files of the site", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  await choose(page.locator(CARD), /^Export/, "Embed code");
  const badge = page.locator(`${CARD} .embed img[alt$="latest complete week"]`).first();
  await expect(badge).toHaveAttribute("src", /\/some\/where\/api\/v1\/badge\/downloads~lancedb~\w+\.svg$/);
  await expect.poll(() => badge.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
});

test("the list of files leads to each, and passes axe", async ({ page }) => {
  await page.goto(pageUrl("rich", "files.html"));
  const links = await page
    .locator("a")
    .evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).href));
  expect(links.length).toBeGreaterThan(20);
  const answers = await Promise.all(links.slice(0, 40).map((link) => page.request.get(link)));
  expect(answers.filter((answer) => !answer.ok()).map((answer) => answer.url())).toEqual([]);
  expect(await axeViolations(page)).toEqual([]);
});
