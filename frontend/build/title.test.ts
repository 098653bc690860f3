import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DEFAULT_TITLE, titled } from "./title";

const PAGE = readFileSync(new URL("../index.html", import.meta.url), "utf8");

test("the page has the title of the build, also before the script runs", () => {
  const page = titled(PAGE, "HTTPX metrics");
  expect(page).toContain("<title>HTTPX metrics</title>");
  expect(page).toContain("<h1>HTTPX metrics</h1>");
  expect(page).not.toContain(DEFAULT_TITLE);
});

test("a title is text, not HTML", () => {
  expect(titled("<title>%TITLE%</title>", "R&D <b>$&</b>")).toBe(
    "<title>R&amp;D &lt;b>$&amp;&lt;/b></title>",
  );
});
