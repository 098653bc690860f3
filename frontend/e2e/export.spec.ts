/** What leaves the page: pictures, files, text, links, and code for a README. */
import { readFileSync } from "node:fs";
import { type Download, expect, type Page, test } from "@playwright/test";
import { CARD, choose, figure, open, pageUrl, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

const LONG_NAME = "Observability toolkit of the community of everybody who ever asked for one "
  .repeat(3)
  .trim();

/** Chooses an item of the chart's menu and returns the file that it downloads. */
async function exported(page: Page, item: string): Promise<Download> {
  const download = page.waitForEvent("download");
  await choose(page.locator(CARD), /^Export/, item);
  return download;
}

async function contentOf(file: Download): Promise<Buffer> {
  return readFileSync(await file.path());
}

/** Returns the width and height of a PNG, which its header states. */
function pngSize(png: Buffer): readonly [number, number] {
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  return [png.readUInt32BE(16), png.readUInt32BE(20)];
}

/** Returns the colour of the first pixel of a PNG. */
async function firstPixel(page: Page, png: Buffer): Promise<readonly number[]> {
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    context?.drawImage(image, 0, 0);
    return [...(context?.getImageData(0, 0, 1, 1).data ?? [])].slice(0, 3);
  }, png.toString("base64"));
}

const BACKGROUNDS = { light: [255, 255, 255], dark: [24, 28, 34] } as const;

for (const theme of ["light", "dark"] as const) {
  test(`a chart is a PNG of 1920 by 1080 in ${theme} colours, whatever the page has`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: theme === "light" ? "dark" : "light" });
    await open(page, "rich");
    await waitForChart(page);
    const file = await exported(page, `PNG 16:9, ${theme}`);
    expect(file.suggestedFilename()).toBe(`downloads-lancedb-2027-01-17-${theme}.png`);
    const png = await contentOf(file);
    expect(pngSize(png)).toEqual([1920, 1080]);
    expect(await firstPixel(page, png)).toEqual(BACKGROUNDS[theme]);
  });
}

test("a picture carries title, unit, period, key, source, date, and that downloads are not users", async ({
  page,
}) => {
  await open(page, "rich");
  await waitForChart(page);
  const svg = (await contentOf(await exported(page, "SVG"))).toString();
  expect(svg).not.toMatch(/var\(|light-dark|class=|<style/);
  const text = svg.replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");
  expect(text).toContain("LanceDB · Downloads");
  expect(text).toMatch(/2026 – .*2027 · downloads a week/);
  for (const name of ["Python", "Node.js", "Rust"]) expect(text).toContain(name);
  expect(text).toContain("Downloads are not users. Source: pypistats");
  expect(text).toContain("data through 17 Jan 2027; made 20 Jan 2027");
});

test("a long name is measured and continues in the next line, and no text leaves the picture", async ({
  page,
}) => {
  await page.route("**/api/v1/dashboard/weekly?*", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    for (const product of body.products) if (product.product === "lancedb") product.display_name = LONG_NAME;
    await route.fulfill({ response, json: body });
  });
  await open(page, "rich");
  await waitForChart(page);
  const card = page.locator(CARD);
  await card.scrollIntoViewIfNeeded();
  await expect(card.locator(".stage-plot svg")).toBeVisible();
  const download = page.waitForEvent("download");
  await choose(card, /^Export/, "SVG");
  const svg = (await contentOf(await download)).toString();
  const picture = await page.context().newPage();
  await picture.setContent(svg.slice(svg.indexOf("<svg")));
  const shown = await picture.evaluate(() => {
    const right = document.querySelector("svg")?.getBoundingClientRect().right ?? 0;
    const texts = [...document.querySelectorAll("text")];
    const outside = texts.filter((one) => one.getBoundingClientRect().right > right + 1);
    return { outside: outside.length, text: texts.map((one) => one.textContent).join(" ") };
  });
  expect(shown.outside).toBe(0);
  expect(shown.text).toContain(LONG_NAME);
});

test("a CSV file has only the visible series and weeks, long or wide", async ({ page }) => {
  await open(page, "rich", "?range=12w&hide=downloads:lancedb:rust");
  await waitForChart(page);
  const long = await exported(page, "CSV, a row for each value");
  expect(long.suggestedFilename()).toBe("downloads-lancedb-2027-01-17.csv");
  const lines = (await contentOf(long)).toString().trim().split("\r\n").slice(1);
  const rowCount = (id: string) => lines.filter((line) => line.startsWith(`downloads:lancedb:${id},`)).length;
  expect([rowCount("python"), rowCount("nodejs"), rowCount("rust")]).toEqual([13, 13, 0]); // 12 weeks and the running week
  expect(lines.join("\n")).toContain(
    "downloads:lancedb:python,downloads,2027-W02,2027-01-11,2027-01-17,1285752,",
  );
  const wide = (await contentOf(await exported(page, "CSV, a column for each series"))).toString();
  const [header, ...rows] = wide.trim().split("\r\n");
  expect(header).toBe(
    "period,period_start,period_end,downloads:lancedb:python,downloads:lancedb:python kind,downloads:lancedb:nodejs,downloads:lancedb:nodejs kind",
  );
  expect(rows).toHaveLength(13);
  expect(rows.at(-2)).toMatch(/^2027-W02,2027-01-11,2027-01-17,1285752,measured,/);
});

test("a chart is copied as an image, as Markdown and for Slack", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, "rich", "?range=12w");
  await waitForChart(page);
  const card = page.locator(CARD);
  await choose(card, /^Export/, "Copy image");
  await expect(page.getByText("Image copied.")).toBeVisible();
  const types = await page.evaluate(async () =>
    (await navigator.clipboard.read()).flatMap((item) => item.types),
  );
  expect(types).toEqual(["image/png"]);
  await choose(card, /^Export/, "Copy as Markdown");
  await expect(page.getByText("Text copied.")).toBeVisible();
  const markdown = await page.evaluate(() => navigator.clipboard.readText());
  expect(markdown).toMatch(/^\*\*LanceDB · Downloads: Python downloads down 18% in four weeks\*\*/);
  expect(markdown).toMatch(/\| Week 2 \| 1,285,752 \|/);
  await choose(card, /^Export/, "Copy for Slack");
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toMatch(/^\*LanceDB · Downloads: [^*]+\*[\s\S]*Week 2 +1,285,752/);
});

test("Copy link copies the URL of the current view", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, "rich", "?by=day&range=12w");
  await choose(page, "More", "Copy link");
  await expect(page.getByText("Link to this view copied.")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    pageUrl("rich", "?by=day&range=12w"),
  );
});

test("the week is copied as text, in Markdown and for Slack, with the numbers of the page", async ({
  page,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, "rich");
  await expect(figure(page)).toHaveText("1.73m");
  await page.getByRole("button", { name: "Copy as text" }).click();
  await expect(page.getByText("This week copied as text.")).toBeVisible();
  const markdown = await page.evaluate(() => navigator.clipboard.readText());
  expect(markdown).toContain("2.06m downloads last week, +0.3% on the week before and +49.9% on the year.");
  expect(markdown).toContain("All products: 2,056,510 downloads in 2027-W02, 5,264 more (+0.3%) than");
  expect(markdown).toContain("- **LanceDB for Python: the highest of 53 weeks**");
  expect(markdown).toContain("| LanceDB | 1.73m | \u22120.2% | \u221217% | +49% | 7.97k +42 |");
  expect(markdown).toContain("Downloads are not users.");
  await choose(page, "More", "Copy text for Slack");
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toMatch(/• \*LanceDB for Python: the highest of 53 weeks\*/);
});

test("the slide of the first screen is a PNG of 1920 by 1080", async ({ page }) => {
  await open(page, "rich");
  await expect(figure(page)).toHaveText("1.73m");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Slide" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("overview-2027-W02.png");
  const png = await contentOf(file);
  expect(pngSize(png)).toEqual([1920, 1080]);
  // an empty slide has a few kilobytes
  expect(png.length).toBeGreaterThan(60_000);
});

test("a slide says of each number what the table says, with source and date, inside its edges", async ({
  page,
}) => {
  await page.addInitScript(() => {
    const create = URL.createObjectURL;
    URL.createObjectURL = (blob: Blob) => {
      if (blob.type === "image/svg+xml")
        void blob.text().then((text) => (document.documentElement.dataset.slide = text));
      return create(blob);
    };
  });
  await page.route("**/api/v1/overview", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    const [first, second] = body.products;
    first.display_name = LONG_NAME;
    first.total.lacking = ["downloads:lancedb:rust"];
    second.total.unit = "pulls";
    await route.fulfill({ response, json: body });
  });
  await open(page, "rich", `?hide=${Array.from({ length: 20 }, (_, index) => `downloads:lance:${index}`)}`);
  await expect(figure(page)).toHaveText("1.73m");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Slide" }).click();
  await download;
  const svg = (await page.locator("html").getAttribute("data-slide")) ?? "";
  const picture = await page.context().newPage();
  await picture.setContent(svg.slice(svg.indexOf("<svg")));
  const { outside, sizes, text } = await picture.evaluate(() => {
    const edge = document.querySelector("svg")?.getBoundingClientRect();
    const texts = [...document.querySelectorAll("text")];
    const isOutside = ({ right, bottom }: DOMRect): boolean =>
      edge === undefined || right > edge.right + 1 || bottom > edge.bottom + 1;
    return {
      outside: texts.filter((one) => isOutside(one.getBoundingClientRect())).length,
      sizes: texts.map((one) => Number(one.getAttribute("font-size"))),
      text: texts.map((one) => one.textContent).join(" "),
    };
  });
  expect(outside).toBe(0);
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(9);
  expect(text).toMatch(/… \(without Rust\)/);
  for (const words of [
    "1.73m downloads",
    " pulls",
    "Downloads are not users. ",
    "Source: ",
    "pypistats",
    "2,056,510 downloads in 2027-W02",
  ])
    expect(text).toContain(words);
  expect(text).toContain("made 20 Jan 2027 with community-metrics");
});

test("a text or slide without its insights is refused, with the reason", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.route("**/api/v1/insights?*", (route) => route.abort());
  await open(page, "rich");
  await expect(figure(page)).toHaveText("1.73m");
  await page.evaluate(() => navigator.clipboard.writeText("before"));
  for (const name of ["Copy as text", "Slide"]) {
    await page.getByRole("button", { name }).click();
    await expect(page.locator(".toast")).toContainText("That did not work: Cannot reach the API");
    await expect(page.locator(".toast")).toBeEmpty({ timeout: 8_000 });
  }
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("before");
});

test("an export whose code cannot be loaded says so", async ({ page }) => {
  await open(page, "rich");
  await waitForChart(page);
  await page.route("**/assets/export-chart*", (route) => route.abort());
  await choose(page.locator(CARD), /^Export/, "SVG");
  await expect(page.locator(".toast")).toContainText("That did not work");
});

test("the page of a product has no slide, which is of all products", async ({ page }) => {
  await open(page, "rich", "?product=lancedb");
  await expect(page.getByRole("button", { name: "Copy as text" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Slide" })).toHaveCount(0);
});

test("on a narrow phone the embed panel stays inside the screen", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 800 });
  await open(page, "rich");
  await waitForChart(page);
  await choose(page.locator(CARD), /^Export/, "Embed code");
  await expect(page.locator(CARD).locator(".embed li").last()).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
});

test("the embed panel has a chart of all series, a chart and a badge of each, and copies their Markdown", async ({
  page,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, "rich");
  await waitForChart(page);
  const card = page.locator(CARD);
  await choose(card, /^Export/, "Embed code");
  await expect(card.locator(".embed li")).toHaveCount(7);
  for (const element of await card.locator(".embed img").all())
    await expect
      .poll(() => element.evaluate((img) => (img as HTMLImageElement).naturalWidth))
      .toBeGreaterThan(0);
  await card.getByRole("button", { name: /Copy Markdown for Python: latest/ }).click();
  const badge = pageUrl("rich", "api/v1/badge/downloads:lancedb:python.svg");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    `![Python: latest complete week](${badge})`,
  );
  await card.getByRole("button", { name: "Copy Markdown for Python: chart" }).click();
  const chart = pageUrl("rich", "api/v1/chart/downloads:lancedb:python.svg");
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toBe(`![Python: chart](${chart})`);
  await card.getByRole("button", { name: "Copy Markdown for LanceDB · Downloads: chart" }).click();
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toMatch(/api\/v1\/chart\.svg\?metric_id=downloads%3Alancedb%3Apython&metric_id=.*&metric_id=.*\)$/);
});
