import { expect, test } from "vitest";
import { withClassicScripts } from "./static-plugin";

test("the page has classic scripts, and the index of the answers is the first", () => {
  const page = withClassicScripts(
    '<head><script type="module" crossorigin src="./assets/a.js"></script></head>',
  );
  expect(page).toMatch(
    /<script defer src=".\/frozen\/index.js"><\/script>\s*<script defer src=".\/assets\/a.js">/,
  );
  expect(page).not.toContain("module");
});

test("a page with several module scripts is refused", () => {
  const script = '<script type="module" src="./a.js"></script>';
  expect(() => withClassicScripts(script + script)).toThrow("2 module scripts");
});
