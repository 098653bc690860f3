/** What a visitor sees and chooses; all of it stands in the address. */
import { expect, test } from "@playwright/test";
import { CARD, figure, open, scrollThrough, setClock, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

test("the numbers are there before Plot is asked for", async ({ page }) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.route("**/assets/draw-*.js", async (route) => {
    await expect(figure(page)).toHaveText("1,285,752");
    await route.continue();
  });
  await open(page, "rich");
  await waitForChart(page);
  const plot = asked.findIndex((url) => url.includes("/assets/draw-"));
  const overview = asked.findIndex((url) => url.endsWith("weekly?weeks=1"));
  expect(overview).toBeGreaterThan(-1);
  expect(plot).toBeGreaterThan(overview);
});

test("every choice stands in the address, and the address shows the same", async ({ page, context }) => {
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

test("a mistyped metric in a link is mended with one press", async ({ page }) => {
  await open(page, "rich", "?compare=downloads:lance:pyton");
  await page.getByRole("button", { name: "downloads:lance:python", exact: true }).click();
  await expect(page).toHaveURL(/compare=downloads:lance:python$/);
  await expect(page.getByText("Comparison")).toBeVisible();
});

test("own dates by form show those days, and dates in the wrong order are refused with a word", async ({
  page,
}) => {
  await open(page, "rich");
  await page.getByRole("button", { name: "Dates…" }).click();
  await page.getByLabel("From").fill("2026-12-01");
  await page.getByLabel("to", { exact: true }).fill("2026-06-01");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await expect(page.getByText("in this order")).toBeVisible();
  await page.getByLabel("From").fill("2026-05-01");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await expect(page).toHaveURL(/range=2026-05-01\.\.2026-06-01/);
});

test("the first view ends at the newest data and says how old they are", async ({ page }) => {
  await open(page, "seeded");
  await waitForChart(page);
  await expect(page.getByText("Data through 31 May 2026, 176 days ago").first()).toBeVisible();
});

test("five seconds tell downloads, change, share and stars of each product, how fresh and how whole", async ({
  page,
}) => {
  await open(page, "rich");
  const lancedb = page.getByRole("article", { name: "LanceDB" });
  await expect(lancedb.getByRole("row", { name: /Python/ })).toContainText(/1,285,752.*\+0\.3%.*74\.1%/);
  await expect(lancedb.getByRole("row", { name: /Node\.js/ })).toContainText(/431,612.*-1\.7%.*24\.9%/);
  await expect(lancedb.getByRole("row", { name: /Stars/ })).toContainText(/7,972.*\+0\.5%/);
  const strip = page.locator(".summary-strip");
  for (const text of [
    "Week 2",
    "5 of 5",
    "download series have all 7 days",
    "19 Jan 2027",
    "2 days missing in 12 weeks",
  ])
    await expect(strip).toContainText(text);
});

test("the sections tell totals, movers and how far to trust the numbers", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  await scrollThrough(page);
  const row = (section: string, name: string | RegExp) =>
    page.getByRole("region", { name: section, exact: true }).getByRole("row", { name }).first();
  await expect(row("Last 30 settled days", /LanceDB/)).toContainText("30 of 30");
  await expect(row("Stars by repository", "lancedb/lancedb")).toContainText("7,980");
  await expect(row("Changes of every series", /LanceDB for Node/)).toContainText("-1.7%");
  await expect(row("Freshness and gaps of every series", "downloads:lancedb:nodejs")).toContainText(
    "19 Jan 2027",
  );
  await expect(row("Restatements", "downloads:lancedb:python")).toContainText("131,313");
  await expect(row("Last runs", /weekly_refresh/)).toContainText("success");
});

test("series of any product are compared side by side", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  for (const id of ["stars:lance:github", "stars:lancedb:github"]) {
    await page.getByLabel("Compare a series").fill(id);
    await page.locator(".compare").getByRole("button", { name: "Add" }).click();
  }
  await expect(page).toHaveURL(/compare=stars:lance:github,stars:lancedb:github$/);
  await expect(page.locator(".compare .legend button")).toHaveCount(2);
  await expect(page.locator(".compare .stage-plot svg")).toBeVisible();
});
