/** A Vite plugin: the styles go into the page, and a policy that knows every inline text by its hash. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { HtmlTagDescriptor, Plugin } from "vite";
import { CHART_CLASS } from "../src/chart/class-name.ts";
import { apiOrigin, buildPolicy } from "./policy.ts";

interface Options {
  readonly apiBaseUrl: string;
  readonly isOnVercel: boolean;
}

type Bundle = Readonly<Record<string, { readonly type: string }>>;

/**
 * Returns the plugin.
 *
 * @throws Error when the address of the API cannot be used, or is missing on Vercel.
 */
export function cspPlugin({ apiBaseUrl, isOnVercel }: Options): Plugin {
  const api = apiOrigin(apiBaseUrl);
  return {
    name: "strict-page",
    apply: "build",
    buildStart() {
      if (isOnVercel && api === "") {
        this.error(
          "VITE_API_BASE_URL is not set; on Vercel the page has no API of its own. See docs/vercel.md.",
        );
      }
    },
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle = {} }) {
        const styles = extractStyles(bundle);
        const page = html.replace(/\s*<link rel="stylesheet"[^>]*>/g, "");
        const policy = buildPolicy({
          api,
          inlineScripts: inlineContents(page, "script"),
          inlineStyles: [styles, plotStyle()],
        });
        return {
          html: page,
          tags: [meta(policy), ...preconnect(api), { tag: "style", children: styles, injectTo: "head" }],
        };
      },
    },
  };
}

/** Takes the style sheets out of the bundle: a second request would hold up the first paint. */
function extractStyles(bundle: Bundle): string {
  const names = Object.keys(bundle).filter((name) => name.endsWith(".css"));
  return names
    .map((name) => {
      const asset = bundle[name] as unknown as { readonly source: string | Uint8Array };
      delete (bundle as Record<string, unknown>)[name];
      return String(asset.source).trim();
    })
    .join("\n");
}

function inlineContents(html: string, tag: string): string[] {
  return [...html.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, "g"))].map(([, text]) => text ?? "");
}

function meta(policy: string): HtmlTagDescriptor {
  return {
    tag: "meta",
    attrs: { "http-equiv": "Content-Security-Policy", content: policy },
    injectTo: "head-prepend",
  };
}

function preconnect(api: string): HtmlTagDescriptor[] {
  if (api === "") return [];
  return [
    { tag: "link", attrs: { rel: "preconnect", href: api, crossorigin: "anonymous" }, injectTo: "head" },
  ];
}

/** Returns the style element that Plot puts into each chart, which has no name but its text. */
function plotStyle(): string {
  const entry = createRequire(import.meta.url).resolve("@observablehq/plot");
  const source = readFileSync(join(dirname(entry), "plot.js"), "utf8");
  const [, template] = /append\("style"\)\.text\(\s*`([^`]*)`/.exec(source) ?? [];
  if (template === undefined)
    throw new Error("Plot's own style is not where 0.6.17 had it; see build/csp-plugin.ts");
  return template.replaceAll(`\${className}`, CHART_CLASS);
}
