/** The Content-Security-Policy of the built page. */
import { createHash } from "node:crypto";

/** Returns a source expression that allows only this text. */
export function cspHash(text: string): string {
  return `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;
}

/**
 * Returns the origin of `VITE_API_BASE_URL`; empty if the page and the API share an origin.
 *
 * @throws Error if it is not an http(s) origin: the page would expose a path or a key in it.
 */
export function apiOrigin(apiBaseUrl: string): string {
  if (apiBaseUrl === "") return "";
  const bare = apiBaseUrl.replace(/\/+$/, "");
  const parsed = URL.canParse(bare) ? new URL(bare) : null;
  if (parsed === null || parsed.origin !== bare || !/^https?:$/.test(parsed.protocol)) {
    throw new Error(
      `VITE_API_BASE_URL is ${JSON.stringify(apiBaseUrl)}; it must be an origin, ` +
        "such as https://metrics-api.example.org",
    );
  }
  return parsed.origin;
}

export interface PolicySources {
  readonly api: string;
  readonly inlineScripts: readonly string[];
  readonly inlineStyles: readonly string[];
  readonly isStatic?: boolean;
}

/** Returns the policy: scripts and styles from the page's origin, inline ones by hash, no style attributes. */
export function buildPolicy({ api, inlineScripts, inlineStyles, isStatic = false }: PolicySources): string {
  const withApi = api === "" ? "'self'" : `'self' ${api}`;
  return [
    "default-src 'none'",
    ["script-src 'self'", ...inlineScripts.map(cspHash)].join(" "),
    ["style-src 'self'", ...inlineStyles.map(cspHash)].join(" "),
    `connect-src ${isStatic ? "'none'" : withApi}`,
    `img-src ${withApi} data: blob:`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "object-src 'none'",
    "require-trusted-types-for 'script'",
    // the one policy makes the addresses of the frozen answers
    `trusted-types ${isStatic ? "frozen-answers" : "'none'"}`,
  ].join("; ");
}
