/** The test configuration. */
import { expect, test } from "@playwright/test";

test("a failing test does not stop the tests of another project", () => {
  const { projects } = test.info().config;
  expect(projects.map(({ name }) => name)).toContain("measured");
  expect(projects.flatMap(({ dependencies }) => dependencies)).toEqual([]);
});
