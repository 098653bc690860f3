/** The test configuration. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { OTHER_SPECS, OTHER_TESTS } from "./static-specs.ts";

test("a failing test does not stop the tests of another project", () => {
  const { projects } = test.info().config;
  expect(projects.map(({ name }) => name)).toContain("measured");
  expect(projects.flatMap(({ dependencies }) => dependencies)).toEqual([]);
});

test("each spec and test that does not run against a site is there", () => {
  const list = ["node_modules/.bin/playwright", "test", "--list", "--no-deps"];
  const titles = execFileSync(process.execPath, list, { encoding: "utf8" }).replaceAll(" › ", " ");
  expect(Object.keys(OTHER_SPECS).filter((name) => !existsSync(`e2e/${name}.spec.ts`))).toEqual([]);
  expect(Object.keys(OTHER_TESTS).filter((pattern) => !new RegExp(pattern).test(titles))).toEqual([]);
});
