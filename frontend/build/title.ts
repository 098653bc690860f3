/** The title of the page, which a build sets with VITE_TITLE. */
import type { Plugin } from "vite";

export const DEFAULT_TITLE = "Community metrics";

/** Returns the HTML with the title in place of each `%TITLE%`. */
export function titled(html: string, title: string): string {
  const text = title.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
  return html.replaceAll("%TITLE%", () => text);
}

/** Returns the plugin that writes the title into the page; `import.meta.env.VITE_TITLE` is the same title. */
export function titlePlugin(title: string): Plugin {
  return {
    name: "title",
    config: () => ({ define: { "import.meta.env.VITE_TITLE": JSON.stringify(title) } }),
    transformIndexHtml: { order: "pre", handler: (html) => titled(html, title) },
  };
}
