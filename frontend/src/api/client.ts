/** Asks the API, and falls back on what the browser kept where it does not answer. */
import { ApiProblem, problemFrom } from "./problems";
import { cachedResponse, saveResponse } from "./response-cache";

export interface ApiResponse<T> {
  readonly body: T;
  /** When it left the API, in ms since 1970 as this browser counts. */
  readonly receivedAt: number;
  /** Why this is a kept answer and no fresh one; null for a fresh one. */
  readonly problem: ApiProblem | null;
}

/** Whether an answer of the last minute will do, which the browser may have, or the API is to be asked. */
export type CacheMode = "default" | "no-cache";

export interface ClientOptions {
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly cacheMode: CacheMode;
}

const TIMEOUT_MS = 25_000;

/** The address of the API as the build was told; empty means the page's own origin. */
export const API_BASE_URL: string = (import.meta.env.VITE_API_BASE_URL ?? "").replace(/\/+$/, "");

const DEFAULTS: ClientOptions = {
  baseUrl: API_BASE_URL,
  timeoutMs: TIMEOUT_MS,
  now: () => Date.now(),
  cacheMode: "default",
};

/** Returns what a first request of the page wants: who reloads it does not want what the browser had. */
export function initialCacheMode(): CacheMode {
  const [navigation] = performance.getEntriesByType("navigation");
  return (navigation as PerformanceNavigationTiming | undefined)?.type === "reload" ? "no-cache" : "default";
}

/** Returns the full address of a path under `/api/v1`. */
export function apiUrl(path: string, baseUrl: string = API_BASE_URL): string {
  return `${baseUrl}/api/v1${path}`;
}

/** Kinds that say nothing against the last good answer: the API is away, not contradicting it. */
export const OUTAGE_KINDS: ReadonlySet<string> = new Set(["unreachable", "too-slow", "failed"]);

/**
 * Returns the body at a path under `/api/v1`, fresh or as last kept.
 *
 * @throws ApiProblem when there is neither.
 */
export async function fetchApi<T>(
  path: string,
  overrides: Partial<ClientOptions> = {},
): Promise<ApiResponse<T>> {
  const options = { ...DEFAULTS, ...overrides };
  const url = apiUrl(path, options.baseUrl);
  try {
    const text = await fetchText(url, options);
    const receivedAt = options.now();
    void saveResponse(url, text, receivedAt);
    return { body: JSON.parse(text) as T, receivedAt, problem: null };
  } catch (error) {
    const problem = toProblem(error);
    const last = OUTAGE_KINDS.has(problem.kind) ? await cachedResponse(url) : null;
    if (last === null) throw problem;
    return { body: last.body as T, receivedAt: last.receivedAt, problem };
  }
}

async function fetchText(url: string, { timeoutMs, cacheMode }: ClientOptions): Promise<string> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(timeoutMs),
    headers: { accept: "application/json" },
    credentials: "omit",
    // asks with the tag of what the browser has: an answer that is the same costs a 304
    cache: cacheMode,
  });
  if (!response.ok) throw await problemFrom(response);
  return response.text();
}

function toProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return new ApiProblem("too-slow", "The API did not answer in time.");
  }
  return new ApiProblem("unreachable", "The API cannot be reached from this browser.");
}
