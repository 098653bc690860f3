import { defineConfig } from "@playwright/test";
import { installedFontSets } from "./e2e/font-sets.ts";
import { NEED_A_SERVER, NOT_OF_A_SITE, SITE_PROJECT } from "./e2e/static-specs.ts";

/**
 * Tests that measure time run after all others and one at a time, because other tests would slow them down.
 * They are a teardown, not a dependent project, so that a failing test does not stop them.
 */
const MEASUREMENTS = /(large-catalogue|lighthouse)\.spec\.ts/;
const MEASURED = "measured";
/** Tests that run only with a known font set. */
const KNOWN_FONTS = /fonts\.spec\.ts/;
/**
 * Tests that may depend on fonts: they run with the machine's fonts and with each font set. In CI the machine has no
 * fonts but those of the sets, which must be installed there.
 */
const ANY_FONTS = /layout\.spec\.ts/;
const WITH_SETS_ONLY = process.env.CI ? [KNOWN_FONTS, ANY_FONTS] : [KNOWN_FONTS];

const LAUNCH_OPTIONS = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  ],
};

const FONT_PROJECTS = installedFontSets().map(({ family, config }) => ({
  name: family,
  testMatch: [KNOWN_FONTS, ANY_FONTS],
  teardown: MEASURED,
  metadata: { family },
  use: { launchOptions: { ...LAUNCH_OPTIONS, env: { ...process.env, FONTCONFIG_FILE: config } } },
}));

/** Runs against `tests/support/dashboard_server.py`, which serves each scenario on its own port. */
export default defineConfig({
  testDir: "e2e",
  workers: 2,
  projects: [
    { name: "page", testIgnore: [MEASUREMENTS, ...WITH_SETS_ONLY, /site\.spec\.ts/], teardown: MEASURED },
    {
      name: SITE_PROJECT,
      testIgnore: NOT_OF_A_SITE,
      grepInvert: NEED_A_SERVER,
      teardown: MEASURED,
    },
    ...FONT_PROJECTS,
    { name: MEASURED, testMatch: MEASUREMENTS, workers: 1 },
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
    timeout: 300_000,
    reuseExistingServer: !process.env.CI,
    stdout: "ignore",
  },
});
