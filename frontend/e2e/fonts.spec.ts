/** With a known font set: the browser uses it, and no height depends on it. */
import { expect, type Page, test } from "@playwright/test";
import { CARD, choose, open, openDetails, scrollThrough, waitForChart } from "./scenarios";

test.describe.configure({ mode: "parallel" });

/** A font's ascent, descent and line gap, relative to its size. */
interface Metrics {
  readonly ascent: string;
  readonly descent: string;
  readonly gap: string;
}

const LOW: Metrics = { ascent: "80%", descent: "20%", gap: "0%" };
const TALL: Metrics = { ascent: "120%", descent: "50%", gap: "10%" };
/** Not visible; the browser rounds to 1/64 px. */
const MAX_DIFFERENCE_PX = 0.1;

test("the browser uses only this set's fonts", async ({ page }, { project }) => {
  await open(page, "rich");
  await waitForChart(page);
  const browser = await page.context().newCDPSession(page);
  await browser.send("DOM.enable");
  await browser.send("CSS.enable");
  const { root } = await browser.send("DOM.getDocument");
  for (const selector of ["h1", ".button", "td.product-value", ".stage-plot svg text"]) {
    const { nodeId } = await browser.send("DOM.querySelector", { nodeId: root.nodeId, selector });
    const { fonts } = await browser.send("CSS.getPlatformFontsForNode", { nodeId });
    expect(
      fonts.map((font) => font.familyName),
      selector,
    ).toEqual([project.metadata.family]);
  }
});

for (const width of [390, 1280]) {
  test(`at ${width} px no height on the page depends on a font's line height`, async ({ page }, {
    project,
  }) => {
    await page.setViewportSize({ width, height: 900 });
    await open(
      page,
      "rich",
      "?table=downloads:lancedb&range=2026-01-01..2027-01-17&compare=stars:lance:github",
    );
    await waitForChart(page);
    await scrollThrough(page);
    await choose(page.locator(CARD), /^Export/, "Embed code");
    await openDetails(page);
    await expect(page.locator(".insight").first()).toBeAttached();
    const low = await heights(page, project.metadata.family, LOW, LOW);
    for (const [text, code] of [
      [TALL, TALL],
      [TALL, LOW],
      [LOW, TALL],
    ] as const)
      expect(differences(low, await heights(page, project.metadata.family, text, code))).toEqual([]);
  });
}

interface Box {
  readonly name: string;
  readonly height: number;
}

function differences(some: readonly Box[], others: readonly Box[]): readonly string[] {
  expect(others.map((box) => box.name)).toEqual(some.map((box) => box.name));
  return some.flatMap(({ name, height }, index) => {
    const other = others[index]?.height ?? Number.NaN;
    return Math.abs(other - height) < MAX_DIFFERENCE_PX ? [] : [`${name}: ${height} or ${other} px`];
  });
}

/** Returns the height of every box if the fonts of `family` have these metrics and unchanged widths. */
function heights(page: Page, family: string, text: Metrics, code: Metrics): Promise<readonly Box[]> {
  return page.evaluate(
    async ([family, text, code]) => {
      const faces = Object.entries({ text, code }).map(
        ([name, { ascent, descent, gap }]) =>
          new FontFace(name, `local("${family}"), local("${family} Regular")`, {
            ascentOverride: ascent,
            descentOverride: descent,
            lineGapOverride: gap,
          }),
      );
      document.fonts.clear();
      for (const face of faces) document.fonts.add(await face.load());
      const sheet = new CSSStyleSheet();
      sheet.replaceSync("* { font-family: text !important } code, pre { font-family: code !important }");
      document.adoptedStyleSheets = [sheet];
      // the height of an inline box depends on its font, but only its line takes up space
      return [...document.querySelectorAll("#app, #app *:not(svg *)")]
        .filter((element) => getComputedStyle(element).display !== "inline")
        .map((element) => ({
          name: `${element.tagName}.${element.className} in ${element.parentElement?.className}`,
          height: element.getBoundingClientRect().height,
        }));
    },
    [family, text, code] as const,
  );
}
