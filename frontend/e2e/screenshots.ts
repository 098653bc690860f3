/** Pictures of a state for `make screenshots`; ordinary runs take none. */
import type { Page } from "@playwright/test";

const LAPTOP = { width: 1280, height: 860 };
export const PHONE = { width: 390, height: 844 };

interface ScreenshotOptions {
  readonly fullPage: boolean;
  /** Done again after each change of width, for what such a change takes away. */
  readonly prepare?: (page: Page) => Promise<void>;
}

/** Takes a picture of the page at phone and laptop width. */
export async function takeScreenshots(
  page: Page,
  name: string,
  theme: string,
  { fullPage, prepare }: ScreenshotOptions = { fullPage: true },
): Promise<void> {
  if (!process.env.SCREENSHOTS) return;
  for (const [device, size] of [
    ["laptop", LAPTOP],
    ["phone", PHONE],
  ] as const) {
    await page.setViewportSize(size);
    await page.waitForTimeout(400); // a resized chart is drawn anew
    await prepare?.(page);
    await page.screenshot({ path: screenshotPath(name, device, theme), fullPage });
  }
  await page.setViewportSize(LAPTOP);
}

/** Takes one picture of what is on screen now. */
export async function takeScreenshot(page: Page, name: string, device: string, theme: string): Promise<void> {
  if (process.env.SCREENSHOTS)
    await page.screenshot({ path: screenshotPath(name, device, theme), fullPage: true });
}

function screenshotPath(name: string, device: string, theme: string): string {
  return `screenshots/${name}-${device}-${theme}.png`;
}
