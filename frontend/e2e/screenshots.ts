/** Screenshots for `make screenshots`; other runs take none. */
import type { Page } from "@playwright/test";

const LAPTOP = { width: 1280, height: 860 };
export const PHONE = { width: 390, height: 844 };

interface ScreenshotOptions {
  readonly fullPage: boolean;
  /** Runs after each change of width, for example to open the tooltip again. */
  readonly prepare?: (page: Page) => Promise<void>;
}

/** Takes a screenshot at laptop and phone width. */
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
    await page.waitForTimeout(400); // a resized chart draws again
    await prepare?.(page);
    await page.screenshot({ path: screenshotPath(name, device, theme), fullPage });
  }
  await page.setViewportSize(LAPTOP);
}

/** Takes one screenshot at the current size. */
export async function takeScreenshot(page: Page, name: string, device: string, theme: string): Promise<void> {
  if (process.env.SCREENSHOTS)
    await page.screenshot({ path: screenshotPath(name, device, theme), fullPage: true });
}

function screenshotPath(name: string, device: string, theme: string): string {
  return `screenshots/${name}-${device}-${theme}.png`;
}
