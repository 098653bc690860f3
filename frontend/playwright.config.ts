import { defineConfig } from "@playwright/test";
import { installedFontSets } from "./e2e/font-sets.ts";

/**
 * Tests that measure run after all others and one at a time: whatever runs beside them would be measured too.
 * They are the teardown of the others, not dependent on them: a test that fails does not keep these from running.
 */
const MEASURING = /(large-catalogue|lighthouse)\.spec\.ts/;
const MEASURED = "measured";
/** These run only where the fonts are known. */
const OF_KNOWN_FONTS = /fonts\.spec\.ts/;
/** Tests whose result may depend on the fonts: they run with the machine's own, and once more with each set. */
const OF_ANY_FONTS = /layout\.spec\.ts/;

const LAUNCH_OPTIONS = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  ],
};

const FONT_PROJECTS = installedFontSets().map(({ family, config }) => ({
  name: family,
  testMatch: [OF_KNOWN_FONTS, OF_ANY_FONTS],
  teardown: MEASURED,
  metadata: { family },
  use: { launchOptions: { ...LAUNCH_OPTIONS, env: { ...process.env, FONTCONFIG_FILE: config } } },
}));

/** The worlds of `tests/support/dashboard_server.py`, each behind the real API on a port of its own. */
export default defineConfig({
  testDir: "e2e",
  workers: 2,
  projects: [
    { name: "page", testIgnore: [MEASURING, OF_KNOWN_FONTS], teardown: MEASURED },
    ...FONT_PROJECTS,
    { name: MEASURED, testMatch: MEASURING, workers: 1 },
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
    launchOptions: LAUNCH_OPTIONS,
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
