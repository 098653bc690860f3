/** Lighthouse scores of the built page on a phone with a slow network. */
import { expect, test } from "@playwright/test";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";
import { pageUrl } from "./scenarios";

const FLAGS = [
  ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];
/** Other processes can only slow a measurement down, so the best of three counts. */
const TRIES = 3;
const MIN_SCORE = 95;
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"] as const;

interface Measurement {
  readonly scores: Readonly<Record<string, number>>;
  readonly lcpMs: number;
  readonly shift: number;
}

async function measure(): Promise<Measurement> {
  const chrome = await launch({
    chromePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    chromeFlags: FLAGS,
  });
  try {
    const result = await lighthouse(pageUrl("rich"), {
      port: chrome.port,
      output: "json",
      logLevel: "error",
    });
    const { categories = {}, audits = {} } = result?.lhr ?? {};
    return {
      scores: Object.fromEntries(CATEGORIES.map((name) => [name, (categories[name]?.score ?? 0) * 100])),
      lcpMs: audits["largest-contentful-paint"]?.numericValue ?? Number.POSITIVE_INFINITY,
      shift: audits["cumulative-layout-shift"]?.numericValue ?? 1,
    };
  } finally {
    chrome.kill();
  }
}

function isGood({ scores, lcpMs }: Measurement): boolean {
  return Object.values(scores).every((score) => score >= MIN_SCORE) && lcpMs <= 2_000;
}

test("performance, accessibility, best practices and SEO score at least 95", async () => {
  test.setTimeout(180_000);
  let best = await measure();
  for (let attempt = 1; attempt < TRIES && !isGood(best); attempt += 1) {
    const next = await measure();
    if ((next.scores.performance ?? 0) > (best.scores.performance ?? 0)) best = next;
  }
  console.log(JSON.stringify(best));
  for (const name of CATEGORIES) expect.soft(best.scores[name], name).toBeGreaterThanOrEqual(MIN_SCORE);
  expect.soft(best.lcpMs).toBeLessThanOrEqual(2_000);
  expect.soft(best.shift).toBeLessThanOrEqual(0.02);
});
