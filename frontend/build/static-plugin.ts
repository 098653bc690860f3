/** A Vite plugin for the build that needs no server: a browser opens it from any folder, also as a file. */
import type { Plugin } from "vite";

/** Answers that are frozen beside the page; `community-metrics site` writes the file. */
export const FROZEN_INDEX = "./frozen/index.js";

/**
 * Returns the HTML with classic scripts: a browser does not load a module from a file.
 *
 * The index of the answers runs first.
 *
 * @throws Error if the page does not have exactly one module script.
 */
export function withClassicScripts(html: string): string {
  const modules = [...html.matchAll(/<script type="module"[^>]* src="([^"]+)"><\/script>/g)];
  const [found] = modules;
  if (found?.[1] === undefined || modules.length > 1) {
    throw new Error(`The page has ${modules.length} module scripts, not one.`);
  }
  const scripts = [FROZEN_INDEX, found[1]].map((source) => `<script defer src="${source}"></script>`);
  return html
    .replace(found[0], () => scripts.join("\n    "))
    .replace("available from the API; see /api/v1/docs.", "in files; see files.html.");
}

/** Returns the plugin; it runs after the one that writes the page's policy, which looks at inline scripts only. */
export function staticPlugin(): Plugin {
  return {
    name: "static",
    apply: "build",
    transformIndexHtml: { order: "post", handler: withClassicScripts },
  };
}
