import { defineConfig } from "@playwright/test";

/** Tests that measure run after all others and one at a time: whatever runs beside them would be measured too. */
const MEASURING = /(big|lighthouse)\.spec\.ts/;

/** The worlds of `tests/support/dashboard_server.py`, each behind the real API on a port of its own. */
export default defineConfig({
  testDir: "e2e",
  workers: 2,
  projects: [
    { name: "page", testIgnore: MEASURING },
    { name: "measured", testMatch: MEASURING, dependencies: ["page"], workers: 1 },
  ],
  timeout: 30_000,
  expect: { timeout: 10_000 },
  retries: process.env.CI ? 1 : 0,
  reporter: [["line"]],
  outputDir: "test-results",
  use: {
    browserName: "chromium",
    viewport: { width: 1280, height: 860 },
    locale: "en-GB",
    timezoneId: "UTC",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      ],
    },
  },
  webServer: {
    command: "exec .venv/bin/python -m tests.support.dashboard_server",
    cwd: "..",
    url: "http://127.0.0.1:24177/api/v1/health",
    timeout: 90_000,
    reuseExistingServer: !process.env.CI,
    stdout: "ignore",
  },
});
