/** A Vite plugin that inlines the styles and adds a Content-Security-Policy with their hashes. */
import type { HtmlTagDescriptor, Plugin } from "vite";
import { apiOrigin, buildPolicy } from "./policy.ts";

interface Options {
  readonly apiBaseUrl: string;
  readonly isOnVercel: boolean;
  /** Whether the page loads its answers as scripts instead of asking an API. */
  readonly isStatic: boolean;
}

type Bundle = Readonly<Record<string, { readonly type: string }>>;

/**
 * Returns the plugin.
 *
 * @throws Error if the API's origin is invalid, or missing on Vercel.
 */
export function cspPlugin({ apiBaseUrl, isOnVercel, isStatic }: Options): Plugin {
  const api = apiOrigin(apiBaseUrl);
  return {
    name: "csp",
    apply: "build",
    buildStart() {
      if (isOnVercel && api === "") {
        this.error("VITE_API_BASE_URL is not set. Fix: set it to the API's origin; see docs/vercel.md.");
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
          inlineStyles: [styles],
          isStatic,
        });
        return {
          html: page,
          tags: [meta(policy), ...preconnect(api), { tag: "style", children: styles, injectTo: "head" }],
        };
      },
    },
  };
}

/** Removes the style sheets from the bundle and returns them: a second request would delay the first paint. */
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
