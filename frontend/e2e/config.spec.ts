/** What playwright.config.ts promises about the tests themselves. */
import { expect, test } from "@playwright/test";

test("a test that fails does not keep the tests of another project from running", () => {
  const { projects } = test.info().config;
  expect(projects.map(({ name }) => name)).toContain("measured");
  expect(projects.flatMap(({ dependencies }) => dependencies)).toEqual([]);
});
