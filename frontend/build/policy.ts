/** The content security policy of the built page: what may run, what may be asked, nothing else. */
import { createHash } from "node:crypto";

/** Returns a source expression that allows exactly this text. */
export function cspHash(text: string): string {
  return `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;
}

/**
 * Returns the origin of `VITE_API_BASE_URL`, empty where the page and the API share one.
 *
 * @throws Error when it is no http(s) origin: a path or a key in it would end up in every visitor's browser.
 */
export function apiOrigin(apiBaseUrl: string): string {
  if (apiBaseUrl === "") return "";
  const bare = apiBaseUrl.replace(/\/+$/, "");
  const parsed = URL.canParse(bare) ? new URL(bare) : null;
  if (parsed === null || parsed.origin !== bare || !/^https?:$/.test(parsed.protocol)) {
    throw new Error(
      `VITE_API_BASE_URL is ${JSON.stringify(apiBaseUrl)}; it must be an origin alone, ` +
        "such as https://metrics-api.example.org",
    );
  }
  return parsed.origin;
}

export interface PolicySources {
  readonly api: string;
  readonly inlineScripts: readonly string[];
  readonly inlineStyles: readonly string[];
}

/** Returns the policy; scripts and styles of the page's own origin, inline ones by hash, no attribute styles. */
export function buildPolicy({ api, inlineScripts, inlineStyles }: PolicySources): string {
  const withApi = api === "" ? "'self'" : `'self' ${api}`;
  return [
    "default-src 'none'",
    ["script-src 'self'", ...inlineScripts.map(cspHash)].join(" "),
    ["style-src 'self'", ...inlineStyles.map(cspHash)].join(" "),
    `connect-src ${withApi}`,
    `img-src ${withApi} data: blob:`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "object-src 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}
