/** The overview, the options and the sections of the page. */
import { expect, type Page, test } from "@playwright/test";
import {
  CARD,
  choose,
  figure,
  open,
  openDetails,
  pageUrl,
  scrollThrough,
  setClock,
  waitForChart,
} from "./scenarios";

test.describe.configure({ mode: "parallel" });

test("the first screen renders before what draws charts is requested", async ({ page }) => {
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.route("**/assets/draw-*.js", async (route) => {
    await expect(figure(page)).toHaveText("1.73m");
    await route.continue();
  });
  await open(page, "rich");
  await waitForChart(page);
  const drawing = requests.findIndex((url) => url.includes("/assets/draw-"));
  const overview = requests.findIndex((url) => url.endsWith("/api/v1/overview"));
  expect(overview).toBeGreaterThan(-1);
  expect(drawing).toBeGreaterThan(overview);
});

test("every option is in the URL, and the URL restores every option", async ({ page, context }) => {
  await open(page, "rich");
  await waitForChart(page);
  for (const name of ["Month", "All", "Cumulative", "Log", "Indexed to 100"])
    await page.getByRole("button", { name, exact: true }).click();
  await page.locator(CARD).getByRole("button", { name: "Rust" }).click();
  await choose(page, "More", "ISO dates");
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

test("a link to a section of the page neither disables Undo nor stays in the address", async ({ page }) => {
  await open(page, "rich");
  await page.getByRole("button", { name: "Month", exact: true }).click();
  await page.locator("a.skip").press("Enter");
  await expect(page).toHaveURL(pageUrl("rich", "?by=month"));
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect(page).toHaveURL(pageUrl("rich"));
  await expect(page.getByRole("button", { name: "Week", exact: true })).toHaveAttribute(
    "aria-pressed",
    "true",
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

test("the first screen says how all products are doing, what changed, and each product in one row", async ({
  page,
}) => {
  await open(page, "rich");
  const status = page.locator(".masthead-status");
  await expect(status).toHaveText(
    /Week 2\s· 11\s?–\s?17 Jan 2027\s· 5 of 5 series complete\s· refreshed 2 hours ago/,
  );
  await expect(status.locator(".is-warn")).toHaveCount(0);
  await expect(page.locator(".headline h2")).toHaveText(
    "2.06m downloads last week, +0.3% on the week before and +49.9% on the year.",
  );
  await expect(page.locator(".insight")).toHaveCount(4);
  await expect(page.locator(".insight").first()).toContainText("LanceDB for Python: the highest of 53 weeks");
  await expect(page.locator(".product-table tbody tr").first()).toContainText(
    /^LanceDB.*1\.73m.*\u22120\.2%.*\u221217%.*\+49%.*weeks complete.*Python 74\.1%, Node\.js 24\.9%, Rust 1.0%.*7\.97k.*\+42$/,
  );
});

test("the headline leads to its numbers", async ({ page, request }) => {
  await open(page, "rich");
  const { headline } = await (await request.get(pageUrl("rich", "api/v1/overview"))).json();
  const basis = page.locator(".headline").getByRole("link", { name: headline.sentence, exact: true });
  await expect(basis).toHaveAttribute("href", headline.link);
});

test("another week is one click away, says so in its sentences, and Back returns", async ({ page }) => {
  await open(page, "rich", "?week=2026-W46");
  await page.getByRole("button", { name: "Previous week" }).click();
  await expect(page).toHaveURL(/week=2026-W45$/);
  await expect(page.locator(".headline")).toContainText("downloads in week 45");
  await expect(page.locator(".masthead-status .is-warn")).toHaveText("4 of 5 series complete");
  const lancedb = page.locator(".product-table tr", { hasText: "LanceDB" });
  await expect(lancedb.locator(".tag")).toHaveText("week 44");
  await page.goBack();
  await expect(page.locator(".headline")).toContainText("downloads in week 46");
});

test("a row opens its product at an address of its own", async ({ page }) => {
  await open(page, "rich");
  await page.locator("tr", { has: page.locator('[data-product="lance"]') }).click();
  await expect(page).toHaveURL(/\?product=lance$/);
  await expect(page.getByRole("heading", { name: "Lance", exact: true })).toBeVisible();
  await expect(page.locator(".product-table tbody tr")).toHaveCount(1);
  await expect(
    page
      .getByRole("region", { name: "Values and changes by series" })
      .getByRole("row", { name: /^Lance for Rust/ }),
  ).toContainText(/26,347.*downloads a week.*\+3\.3%/);
  await page.getByRole("link", { name: "All products" }).click();
  await expect(page.locator(".product-table tbody tr")).toHaveCount(4);
});

test("200 products are sorted by size, and found by any part of a name", async ({ page }) => {
  await withProducts(page, 200);
  await open(page, "rich");
  const rows = page.locator(".product-table tbody tr");
  await expect(page.locator(".product-table")).toHaveAttribute("aria-rowcount", "201");
  await expect(page.getByText("Trends")).toBeAttached();
  await expect(page.locator(".chart-card")).toHaveCount(0);
  await page.getByRole("searchbox", { name: "Search products" }).fill("ct 19");
  await expect(page.getByText("12 found")).toBeVisible();
  await expect(rows).toHaveCount(12);
  await page.getByRole("columnheader", { name: "Product" }).getByRole("button").click();
  await expect(rows.first()).toContainText("Product 19");
});

for (const [width, height] of [
  [1440, 900],
  [390, 844],
] as const)
  test(`at ${width} px every one of 200 rows is reached by scrolling and by the Tab key`, async ({
    page,
  }) => {
    test.setTimeout(90_000);
    await page.setViewportSize({ width, height });
    await withProducts(page, 200);
    await open(page, "rich", "?sort=products.product.asc");
    await expect(page.locator(".product-table")).toHaveAttribute("aria-rowcount", "201");
    const found = new Set<string>();
    const rows = page.locator(".product-table tbody tr");
    const names = async (): Promise<void> => {
      const shown = await rows.locator(".product-link").allTextContents();
      expect(shown.length).toBeLessThan(70);
      for (const name of shown) found.add(name);
    };
    // half a screen at a time, and two frames in which the rows are drawn
    for (let step = 0; step < 60 && found.size < 200; step += 1) {
      await names();
      await page.evaluate(async () => {
        scrollBy(0, innerHeight / 2);
        for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
      });
    }
    expect(found.size).toBe(200);
    await expect(page.locator('tr[aria-rowindex="201"]')).toBeAttached();
    await page.evaluate(() => scrollTo(0, 0));
    await rows.first().locator(".product-link").focus();
    const walked: (string | null)[] = [];
    for (let step = 0; step < 40; step += 1) {
      walked.push(await page.evaluate(() => document.activeElement?.textContent ?? null));
      await page.keyboard.press("Tab");
    }
    expect(new Set(walked).size).toBe(40);
    expect(walked.every((name) => name?.startsWith("Product "))).toBe(true);
  });

for (const [width, height] of [
  [1440, 900],
  [390, 844],
  [320, 640],
] as const) {
  test(`at ${width} px every insight is read whole, also with wider spacing of text`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await open(page, "rich");
    await expect(page.locator(".insight")).toHaveCount(4);
    // the spacing of WCAG 1.4.12
    const content =
      "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }";
    await page.evaluate((css) => {
      // the policy of the page rejects a style element
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      document.adoptedStyleSheets = [sheet];
    }, content);
    const cut = await page
      .locator(".insight, .insight :is(h3, p)")
      .evaluateAll((all) =>
        all
          .filter((one) => one.clientHeight === 0 || one.scrollHeight > one.clientHeight + 1)
          .map((one) => one.textContent),
      );
    expect(cut).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  });
}

test("on a phone every target of the first screen has 44 pixels and nothing scrolls sideways", async ({
  page,
}) => {
  await page.setViewportSize({ width: 320, height: 700 });
  await withProducts(page, 20);
  await open(page, "rich");
  await expect(page.locator(".insight").first()).toBeVisible();
  const targets = page.locator(
    ".insight, .product-table tbody tr, .product-tools :is(input, select), .masthead-tools .button",
  );
  for (const box of await targets.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height)))
    expect(box).toBeGreaterThanOrEqual(41.25); // 2.75 rem: 44 px at the usual 16 px, and a phone's rem is 15 px
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
});

for (const width of [320, 390, 600, 800]) {
  test(`at ${width} px a row has every column of a wide screen, each inside the screen`, async ({ page }) => {
    await page.setViewportSize({ width, height: 844 });
    await open(page, "rich");
    const row = page.locator(".product-table tbody tr").first();
    await expect(row).toContainText("7.97k");
    const cells = row.locator("th, td");
    await expect(cells).toHaveCount(8);
    for (const cell of await cells.all()) {
      const box = await cell.boundingBox();
      expect(box?.height).toBeGreaterThan(0);
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
    }
    await page.getByRole("combobox", { name: "Sort products" }).selectOption("by name");
    await expect(page).toHaveURL(/sort=products\.product\.asc/);
    await expect(row).toContainText(/^Geneva|^Lance/);
  });
}

test("a product without any value has no row of dashes, and is named below the table", async ({ page }) => {
  await page.route("**/api/v1/overview", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    body.products.push({
      product: "new",
      display_name: "New one",
      total: null,
      stars: null,
      is_known: false,
    });
    await route.fulfill({ response, json: body });
  });
  await open(page, "rich");
  await expect(page.locator(".product-table tbody tr")).toHaveCount(4);
  await page.getByText("1 product has no value yet").click();
  await page.getByRole("link", { name: "New one" }).click();
  await expect(page).toHaveURL(/product=new/);
  await expect(page.locator(".product-title")).toHaveText("New one");
});

test("many products are grouped by what the API says of them, in a link too", async ({ page }) => {
  await withProducts(page, 30);
  await open(page, "rich");
  await page.getByRole("combobox", { name: "Group products" }).selectOption("by four-week change");
  await expect(page).toHaveURL(/group=trend$/);
  const heads = page.locator(".group-row");
  await expect(heads).toHaveCount(2);
  await expect(heads.first()).toContainText("Rising: up 10% or more in four weeks (10)");
  await expect(page.locator(".product-table tbody tr:not(.group-row)")).toHaveCount(30);
});

test("a large change is louder than a small one", async ({ page }) => {
  await open(page, "rich");
  const changes = page.locator(".product-table tbody tr").first().locator(".change");
  await expect(changes.nth(0)).toHaveClass("change is-quiet");
  await expect(changes.nth(1)).toHaveClass("change is-down is-loud");
});

/** Serves the real overview with this number of products, each a copy of LanceDB. */
async function withProducts(page: Page, count: number): Promise<void> {
  await page.route("**/api/v1/overview", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    const [first] = body.products;
    const products = Array.from({ length: count }, (_, index) => ({
      ...first,
      product: `product-${index}`,
      display_name: `Product ${index}`,
      total: { ...first.total, four_week_change: { absolute: 1, fraction: index % 3 === 0 ? 0.2 : 0 } },
    }));
    await route.fulfill({ response, json: { ...body, products } });
  });
}

test("the data section says what is not good, and its tables open", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  await scrollThrough(page);
  await expect(page.locator(".quality-state")).toHaveText(/^! \d+ series with missing days; \d+ series/);
  await openDetails(page);
  const row = (section: string, name: string | RegExp) =>
    page.getByRole("region", { name: section, exact: true }).getByRole("row", { name }).first();
  await expect(row("Freshness and missing days by series", "downloads:lancedb:nodejs")).toContainText(
    "19 Jan 2027",
  );
  await expect(page.getByText(/^Lost next: .* unless it is read by/)).toBeVisible();
  await expect(page.getByRole("heading", { name: "Outages of registries" })).toBeVisible();
  await expect(row("What is lost next by series", "downloads:lancedb:python")).toContainText("2027");
  await expect(row("Restatements", "downloads:lancedb:python")).toContainText("131,313");
  await expect(row("Recent runs", /weekly_refresh/)).toContainText("success");
});
