/** The overview, the options and the sections of the page. */
import { expect, test } from "@playwright/test";
import { CARD, figure, open, scrollThrough, setClock, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

test("the overview renders before Plot is requested", async ({ page }) => {
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.route("**/assets/draw-*.js", async (route) => {
    await expect(figure(page)).toHaveText("1,285,752");
    await route.continue();
  });
  await open(page, "rich");
  await waitForChart(page);
  const plot = requests.findIndex((url) => url.includes("/assets/draw-"));
  const overview = requests.findIndex((url) => url.endsWith("weekly?weeks=1"));
  expect(overview).toBeGreaterThan(-1);
  expect(plot).toBeGreaterThan(overview);
});

test("every option is in the URL, and the URL restores every option", async ({ page, context }) => {
  await open(page, "rich");
  await waitForChart(page);
  for (const name of ["Month", "All", "Cumulative", "Log", "Indexed to 100"])
    await page.getByRole("button", { name, exact: true }).click();
  await page.locator(CARD).getByRole("button", { name: "Rust" }).click();
  await page.getByLabel("ISO dates").check();
  await expect(page).toHaveURL(
    /\?by=month&range=all&sum=cumulative&scale=log&unit=indexed&hide=downloads:lancedb:rust&dates=iso$/,
  );
  const other = await context.newPage();
  await setClock(other, "rich");
  await other.goto(page.url());
  for (const name of ["Month", "All", "Cumulative", "Log", "Indexed to 100"]) {
    await expect(other.getByRole("button", { name, exact: true })).toHaveAttribute("aria-pressed", "true");
  }
  await expect(other.locator(CARD).getByRole("button", { name: "Rust" })).toHaveAttribute(
    "aria-pressed",
    "false",
  );
});

test("a mistyped metric in a link is corrected with one click", async ({ page }) => {
  await open(page, "rich", "?compare=downloads:lance:pyton");
  await page.getByRole("button", { name: "downloads:lance:python", exact: true }).click();
  await expect(page).toHaveURL(/compare=downloads:lance:python$/);
  await expect(page.getByText("Comparison")).toBeVisible();
});

test("the form sets a custom range, and rejects dates in the wrong order with a message", async ({
  page,
}) => {
  await open(page, "rich");
  await page.getByRole("button", { name: "Custom…" }).click();
  await page.getByLabel("From").fill("2026-12-01");
  await page.getByLabel("To", { exact: true }).fill("2026-06-01");
  await page.getByRole("button", { name: "Apply", exact: true }).click();
  await expect(page.getByText("on or before the end date")).toBeVisible();
  await page.getByLabel("From").fill("2026-05-01");
  await page.getByRole("button", { name: "Apply", exact: true }).click();
  await expect(page).toHaveURL(/range=2026-05-01\.\.2026-06-01/);
});

test("the default view ends at the latest data and shows its age", async ({ page }) => {
  await open(page, "seeded");
  await waitForChart(page);
  await expect(page.getByText("Data through 31 May 2026, 176 days ago").first()).toBeVisible();
});

test("the overview shows downloads, change, share and stars by product, with freshness and completeness", async ({
  page,
}) => {
  await open(page, "rich");
  const lancedb = page.getByRole("article", { name: "LanceDB" });
  await expect(lancedb.getByRole("row", { name: /Python/ })).toContainText(/1,285,752.*\+0\.3%.*74\.1%/);
  await expect(lancedb.getByRole("row", { name: /Node\.js/ })).toContainText(/431,612.*-1\.7%.*24\.9%/);
  await expect(lancedb.getByRole("row", { name: /Stars lancedb/ })).toContainText(
    /read 20 Jan 2027, 06:00 UTC.*7,980.*\+0\.5%/,
  );
  const strip = page.locator(".summary-strip");
  for (const text of [
    "Week 2",
    /11\s?–\s?17 Jan 2027/,
    "5 of 5 series complete (all 7 days)",
    "Published through",
    "19 Jan 2027",
    "2 missing days in 12 weeks",
  ])
    await expect(strip).toContainText(text);
});

test("the sections show totals, changes and data quality", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  await scrollThrough(page);
  const row = (section: string, name: string | RegExp) =>
    page.getByRole("region", { name: section, exact: true }).getByRole("row", { name }).first();
  await expect(row("Downloads, last 30 complete days", /LanceDB/)).toContainText("30 of 30");
  await expect(row("Stars by repository", "lancedb/lancedb")).toContainText("7,980");
  await expect(row("Changes by series", /LanceDB for Node/)).toContainText("-1.7%");
  await expect(row("Freshness and missing days by series", "downloads:lancedb:nodejs")).toContainText(
    "19 Jan 2027",
  );
  await expect(row("Restatements", "downloads:lancedb:python")).toContainText("131,313");
  await expect(row("Recent runs", /weekly_refresh/)).toContainText("success");
});

test("series of different products are compared in one chart", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  for (const id of ["stars:lance:github", "stars:lancedb:github"]) {
    await page.getByLabel("Add a series to compare").fill(id);
    await page.locator(".compare").getByRole("button", { name: "Add" }).click();
  }
  await expect(page).toHaveURL(/compare=stars:lance:github,stars:lancedb:github$/);
  await expect(page.locator(".compare .legend button")).toHaveCount(2);
  await expect(page.locator(".compare .stage-plot svg")).toBeVisible();
});
