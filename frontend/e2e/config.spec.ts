/** The test configuration. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { OTHER_SPECS, OTHER_TESTS } from "./static-specs.ts";

test("a failing test does not stop the tests of another project", () => {
  const { projects } = test.info().config;
  expect(projects.map(({ name }) => name)).toContain("measured");
  expect(projects.flatMap(({ dependencies }) => dependencies)).toEqual([]);
});

test("each spec and test that does not run against a site is there", () => {
  const specs = readdirSync("e2e").filter((name) => name.endsWith(".spec.ts"));
  expect(specs).toEqual(expect.arrayContaining(Object.keys(OTHER_SPECS).map((name) => `${name}.spec.ts`)));
  const source = specs.map((name) => readFileSync(`e2e/${name}`, "utf8")).join("\n");
  // a width, a theme or a state is written as an expression in its title
  const written = (pattern: string) =>
    new RegExp(
      pattern.replace(/^dark /, "").replaceAll(/\([\d|]+\)|\[a-z-\]\+|dark/g, String.raw`\$\{[\w.]+\}`),
    );
  expect(Object.keys(OTHER_TESTS).filter((pattern) => !written(pattern).test(source))).toEqual([]);
});
