/** Lighthouse on the built page, as it judges a phone on a slow network. */
import { expect, test } from "@playwright/test";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";
import { address } from "./worlds";

const FLAGS = [
  ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

test("performance, accessibility, best practices and SEO are 95 or more", async () => {
  test.setTimeout(120_000);
  const chrome = await launch({
    chromePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    chromeFlags: FLAGS,
  });
  try {
    const result = await lighthouse(address("rich"), {
      port: chrome.port,
      output: "json",
      logLevel: "error",
    });
    const { categories = {}, audits = {} } = result?.lhr ?? {};
    const scores = Object.fromEntries(
      Object.entries(categories).map(([name, one]) => [name, (one.score ?? 0) * 100]),
    );
    const lcp = audits["largest-contentful-paint"]?.numericValue ?? Number.POSITIVE_INFINITY;
    const shift = audits["cumulative-layout-shift"]?.numericValue ?? 1;
    console.log(JSON.stringify({ ...scores, lcp_ms: Math.round(lcp), layout_shift: shift }));
    for (const name of ["performance", "accessibility", "best-practices", "seo"])
      expect.soft(scores[name], name).toBeGreaterThanOrEqual(95);
    expect.soft(lcp).toBeLessThanOrEqual(2_000);
    expect.soft(shift).toBeLessThanOrEqual(0.02);
  } finally {
    chrome.kill();
  }
});
