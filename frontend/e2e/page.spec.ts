/** What a visitor does: read, choose, zoom, share, take away. */
import { readFileSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { address, drawn, figure, open, order, setClock } from "./worlds";

const CARD = ".chart-card:has(h3:text('LanceDB · Downloads'))";
const stage = (page: Page) => page.locator(`${CARD} .stage-keys`);
const live = (page: Page) => page.locator(`${CARD} [aria-live]`);

test("the numbers are there before Plot is asked for", async ({ page }) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.route("**/assets/draw-*.js", async (route) => {
    await expect(figure(page)).toHaveText("1,285,752");
    await route.continue();
  });
  await open(page, "rich");
  await drawn(page);
  const plot = asked.findIndex((url) => url.includes("/assets/draw-"));
  const overview = asked.findIndex((url) => url.endsWith("weekly?weeks=1"));
  expect(overview).toBeGreaterThan(-1);
  expect(plot).toBeGreaterThan(overview);
});

test("every choice stands in the address, and the address shows the same", async ({ page, context }) => {
  await open(page, "rich");
  await drawn(page);
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

test("dragging zooms, Undo and Back take it back", async ({ page }) => {
  await open(page, "rich");
  await drawn(page);
  await drag(page, 0.3, 0.6);
  await expect(page).toHaveURL(/range=2026-\d\d-\d\d\.\.2026-\d\d-\d\d/);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page).toHaveURL(address("rich"));
  await drag(page, 0.3, 0.6);
  await page.goBack();
  await expect(page).toHaveURL(address("rich"));
});

test("the keyboard walks a chart's points, says each, and zooms", async ({ page }) => {
  await open(page, "rich");
  await drawn(page);
  await stage(page).focus();
  await page.keyboard.press("ArrowLeft");
  await expect(live(page)).toHaveText(
    /^Week 3, 18\s?–\s?24 Jan 2027: Python [\d,]+, running; Node\.js [\d,]+, running; Rust [\d,]+, running\.$/,
  );
  await page.keyboard.press("ArrowLeft");
  await expect(live(page)).toHaveText(
    /^Week 2, 11\s?–\s?17 Jan 2027: Python 1,285,752; Node\.js 431,612; Rust 17,250\.$/,
  );
  for (let step = 0; step < 4; step += 1) await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/range=2026-12-14\.\.2027-01-17/);
  await expect(page.getByText(/^Zoomed to/)).toBeVisible();
});

test("Escape closes the tooltip", async ({ page }) => {
  await open(page, "rich");
  await drawn(page);
  await stage(page).focus();
  await page.keyboard.press("End");
  await expect(page.locator(".tooltip")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.locator(".tooltip")).toBeHidden();
});

test("every control is reached by Tab, in the order of the page, and shows that it is", async ({ page }) => {
  await open(page, "rich");
  await drawn(page);
  const reached: string[] = [];
  for (let step = 0; step < 32; step += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const name = element.getAttribute("aria-label") ?? element.textContent ?? "";
      return {
        name: name.trim() || element.tagName,
        hasRing: getComputedStyle(element).outlineStyle !== "none",
      };
    });
    expect.soft(at.hasRing, at.name).toBe(true);
    reached.push(at.name);
  }
  expect(reached[0]).toBe("Skip to the numbers");
  for (const name of ["Day", "Month", "All", "Log", "Indexed to 100", "Python"])
    expect(reached).toContain(name);
  expect(reached.some((name) => name.startsWith("Lance · Downloads, chart"))).toBe(true);
});

test("a gap is a gap, estimates are dashed, the running week is hatched, a restated point is marked", async ({
  page,
}) => {
  await open(page, "rich");
  await drawn(page);
  const legend = page.locator(".chart-card", { hasText: "Lance · Downloads" }).first().locator(".kinds");
  for (const text of ["Measured", "Estimate", "Days are missing", "Not over yet", "Gap"])
    await expect(legend).toContainText(text);
  await expect(page.locator(CARD).locator(".kinds")).toContainText("The registry changed it later");
  const dashed = page
    .locator(".stage-plot")
    .first()
    .locator("path[stroke-dasharray], g[stroke-dasharray] path");
  await expect(dashed.first()).toBeAttached();
  await expect(page.locator(".stage-plot").first().locator("[fill='url(#cm-hatch)']")).toBeAttached();
});

test("the table says what the chart says, sorts, and keeps its order in the address", async ({ page }) => {
  await open(page, "rich", "?table=downloads:lancedb");
  const table = page.locator(CARD).getByRole("table");
  await expect(table.getByRole("row").nth(2)).toContainText(/Week 2.*1,285,752.*431,612.*17,250/);
  await table.getByRole("button", { name: /Node\.js/ }).click();
  await expect(page).toHaveURL(/sort=downloads:lancedb\.s2\.desc/);
  await expect(table.getByRole("columnheader", { name: /Node\.js/ })).toHaveAttribute(
    "aria-sort",
    "descending",
  );
});

for (const kind of ["csv", "svg", "png"] as const) {
  test(`what is seen can be taken away as ${kind}`, async ({ page }) => {
    await open(page, "rich");
    await drawn(page);
    const waiting = page.waitForEvent("download");
    await page.locator(CARD).getByRole("button", { name: kind.toUpperCase() }).click();
    const file = await waiting;
    const content = readFileSync(await file.path());
    expect(file.suggestedFilename()).toBe(`downloads-lancedb-2027-01-17.${kind}`);
    if (kind === "csv")
      expect(content.toString()).toContain(
        "downloads:lancedb:python,2027-W02,2027-01-11,2027-01-17,1285752,",
      );
    if (kind === "svg") expect(content.toString()).not.toMatch(/var\(|light-dark/);
    if (kind === "svg") expect(content.toString()).toContain("LanceDB · Downloads");
    if (kind === "png") expect(content.subarray(1, 4).toString()).toBe("PNG");
  });
}

test("copy link copies what is seen", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, "rich", "?by=day&range=12w");
  await page.getByRole("button", { name: "Copy link" }).click();
  await expect(page.getByText("Link to this view copied.")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    address("rich", "?by=day&range=12w"),
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
  await drawn(page);
  await expect(page.getByText("Data through 31 May 2026, 175 days ago").first()).toBeVisible();
});

test("the switch of colours is kept, and a link does not carry it", async ({ page }) => {
  await open(page, "rich");
  await page.getByLabel("Colours").selectOption("dark");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  expect(page.url()).toBe(address("rich"));
});

for (const width of [320, 390, 1280, 2560]) {
  test(`at ${width} px nothing sticks out sideways`, async ({ page }) => {
    await page.setViewportSize({ width, height: 900 });
    await open(page, "rich", "?table=downloads:lancedb&range=2026-01-01..2027-01-17");
    await drawn(page);
    const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(wide).toBeLessThanOrEqual(seen ?? 0);
  });
}

test("less motion is asked for and none is shown", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await order(page, "failing", "slow?s=1");
  await open(page, "failing");
  const animation = await page
    .locator(".bone")
    .first()
    .evaluate((bone) => getComputedStyle(bone).animationName);
  await order(page, "failing", "slow?s=0");
  expect(animation).toBe("none");
});

test("numbers, days and weeks follow the reader's language", async ({ browser }) => {
  const context = await browser.newContext({ locale: "de-DE", timezoneId: "America/Los_Angeles" });
  const page = await context.newPage();
  await open(page, "rich");
  await expect(figure(page)).toHaveText("1.285.752");
  await expect(page.getByText(/11\.[–\s]+17\. Jan(uar|\.)? 2027/).first()).toBeVisible();
  await context.close();
});

test("print shows the charts and no controls", async ({ page }) => {
  await open(page, "rich");
  await drawn(page);
  await page.emulateMedia({ media: "print" });
  await expect(page.locator(".toolbar")).toBeHidden();
  await expect(page.locator(".stage-plot svg").first()).toBeVisible();
});

async function drag(page: Page, from: number, to: number): Promise<void> {
  await stage(page).scrollIntoViewIfNeeded();
  const box = await stage(page).boundingBox();
  if (box === null) throw new Error("the chart is not on the page");
  await page.mouse.move(box.x + box.width * from, box.y + 90);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, box.y + 90, { steps: 4 });
  await page.mouse.up();
}
