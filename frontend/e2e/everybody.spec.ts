/** For everyone: keyboard, any width, language, theme, paper. */
import { expect, test } from "@playwright/test";
import { address, drawn, figure, open, scrollThrough } from "./worlds";

test.describe.configure({ mode: "parallel" });

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

test("the switch of colours is kept, and a link does not carry it", async ({ page }) => {
  await open(page, "rich");
  await page.getByLabel("Colours").selectOption("dark");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  expect(page.url()).toBe(address("rich"));
});

for (const width of [320, 390, 1024, 1280, 1600, 2560]) {
  test(`at ${width} px nothing sticks out, neither of the page nor of a card`, async ({ page }) => {
    await page.setViewportSize({ width, height: 900 });
    await open(page, "rich", "?table=downloads:lancedb&range=2026-01-01..2027-01-17");
    await drawn(page);
    await scrollThrough(page);
    await expect(page.getByRole("heading", { name: "Last runs" })).toBeAttached();
    const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(wide).toBeLessThanOrEqual(seen ?? 0);
    expect(await page.locator(".card").evaluateAll(whatSticksOut)).toEqual([]);
  });
}

/** Names the elements of cards that reach beyond their card's right edge, those apart that a reader can scroll. */
function whatSticksOut(cards: readonly Element[]): readonly string[] {
  return cards.flatMap((card) => {
    const edge = card.getBoundingClientRect().right;
    const parts = [...card.querySelectorAll("*")].filter(
      (one) => one.closest(".table-scroll, .vh, svg") === null,
    );
    const out = parts.filter((one) => one.getBoundingClientRect().right > edge + 1);
    return out.map(
      (one) => `${one.tagName}.${one.className} in ${card.querySelector("h2, h3")?.textContent}`,
    );
  });
}

test("numbers, days and weeks follow the reader's language", async ({ browser }) => {
  const context = await browser.newContext({ locale: "de-DE", timezoneId: "America/Los_Angeles" });
  const page = await context.newPage();
  await open(page, "rich");
  await expect(figure(page)).toHaveText("1.285.752");
  await expect(page.getByText(/11\.[–\s]+17\. Jan(uar|\.)? 2027/).first()).toBeVisible();
  await context.close();
});

test("a chart that nobody has scrolled to is there all the same, for paper and for jumps by heading", async ({
  page,
}) => {
  await open(page, "rich");
  // two families of ten have no value yet, and say so
  await expect(page.locator(".charts .stage-plot svg")).toHaveCount(8, { timeout: 20_000 });
  await expect(page.getByText("Nothing is known of it yet.")).toHaveCount(2);
  await expect(page.getByRole("heading", { name: "Last runs" })).toBeAttached();
});

for (const width of [320, 390, 1280]) {
  test(`at ${width} px nothing moves when the script takes over from the page as sent`, async ({
    browser,
  }) => {
    const place = async (javaScriptEnabled: boolean) => {
      const context = await browser.newContext({ javaScriptEnabled, viewport: { width, height: 900 } });
      const page = await context.newPage();
      await page.route("**/api/**", () => undefined); // never answered: both show the skeleton
      await page.goto(address("rich"));
      if (javaScriptEnabled) await expect(page.getByRole("button", { name: "Copy link" })).toBeVisible();
      const box = await page.locator(".skeleton .card").first().boundingBox();
      await context.close();
      return box;
    };
    expect(await place(true)).toEqual(await place(false));
  });
}
