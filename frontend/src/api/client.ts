/** Fetches from the API; during an outage, returns the last response saved in the browser. */
import { inRows } from "./columns";
import { frozenResponse, IS_FROZEN } from "./frozen";
import { ApiProblem, problemFrom } from "./problems";
import { cachedResponse, saveResponse } from "./response-cache";
import type { SentDashboard } from "./types";

export interface ApiResponse<T> {
  readonly body: T;
  /** When the browser received it from the API, in Unix milliseconds. */
  readonly receivedAt: number;
  /** Why `body` is a saved response; null if it is current. */
  readonly problem: ApiProblem | null;
}

/** `default` may use the browser's HTTP cache; `no-cache` revalidates with the API. */
export type CacheMode = "default" | "no-cache";

export interface ClientOptions {
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly cacheMode: CacheMode;
}

const TIMEOUT_MS = 25_000;

/** The API's origin, set at build time; empty means the page's own origin. */
export const API_BASE_URL: string = (import.meta.env.VITE_API_BASE_URL ?? "").replace(/\/+$/, "");

const DEFAULTS: ClientOptions = {
  baseUrl: API_BASE_URL,
  timeoutMs: TIMEOUT_MS,
  now: () => Date.now(),
  cacheMode: "default",
};

/** Returns the cache mode of the page's first requests: a reload revalidates. */
export function initialCacheMode(): CacheMode {
  const [navigation] = performance.getEntriesByType("navigation");
  return (navigation as PerformanceNavigationTiming | undefined)?.type === "reload" ? "no-cache" : "default";
}

/** Returns the URL of a path under `/api/v1`. */
export function apiUrl(path: string, baseUrl: string = API_BASE_URL): string {
  return `${baseUrl}/api/v1${path}`;
}

/** Problems that mean the API is unavailable, so that the last response is still valid. */
export const OUTAGE_KINDS: ReadonlySet<string> = new Set(["unreachable", "timeout", "failed"]);

/**
 * Returns the response at a path under `/api/v1`: current, or the last one saved.
 *
 * @throws ApiProblem if there is neither.
 */
export async function fetchApi<T>(
  path: string,
  overrides: Partial<ClientOptions> = {},
): Promise<ApiResponse<T>> {
  if (IS_FROZEN) return frozenResponse<T>(path);
  const options = { ...DEFAULTS, ...overrides };
  const url = apiUrl(path, options.baseUrl);
  try {
    const text = await fetchText(url, options);
    const receivedAt = options.now();
    const body = bodyOf(path, JSON.parse(text)) as T;
    void saveResponse(url, text, receivedAt);
    return { body, receivedAt, problem: null };
  } catch (error) {
    const problem = toProblem(error);
    const last = OUTAGE_KINDS.has(problem.kind) ? await cachedResponse(url) : null;
    if (last === null) throw problem;
    return { body: bodyOf(path, last.body) as T, receivedAt: last.receivedAt, problem };
  }
}

/** Returns a response as the page uses it: the points of a dashboard are objects. */
function bodyOf(path: string, sent: unknown): unknown {
  return path.startsWith("/dashboard/") ? inRows(sent as SentDashboard) : sent;
}

async function fetchText(url: string, { timeoutMs, cacheMode }: ClientOptions): Promise<string> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(timeoutMs),
    headers: { accept: "application/json" },
    credentials: "omit",
    // `no-cache` sends the ETag, so an unchanged response costs a 304
    cache: cacheMode,
  });
  if (!response.ok) throw await problemFrom(response);
  return response.text();
}

function toProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return new ApiProblem("timeout", "The API did not respond in time.");
  }
  return new ApiProblem("unreachable", "Cannot reach the API.");
}
