/** One request as a shared, observable state: loading, ready or failed. */
import { type ApiResponse, type CacheMode, fetchApi, initialCacheMode, OUTAGE_KINDS } from "./client";
import type { ApiProblem } from "./problems";

export type ResourceState<T> =
  | { readonly phase: "loading"; readonly isSlow: boolean }
  | { readonly phase: "ready"; readonly response: ApiResponse<T> }
  | { readonly phase: "failed"; readonly problem: ApiProblem };

export interface Resource<T> {
  readonly state: () => ResourceState<T>;
  readonly subscribe: (listener: () => void) => () => void;
  /** Fetches again; the current state stays until the response arrives, and during an outage. */
  readonly refresh: () => Promise<void>;
}

/** Without a response after this time, `isSlow` is true. */
export const SLOW_AFTER_MS = 4_000;

export type Fetcher = <T>(
  path: string,
  options: { readonly cacheMode: CacheMode },
) => Promise<ApiResponse<T>>;

/** Returns a resource that fetches `path` at its first subscription. */
export function createResource<T>(path: string, fetcher: Fetcher = fetchApi): Resource<T> {
  const listeners = new Set<() => void>();
  let state: ResourceState<T> = { phase: "loading", isSlow: false };
  let isLoading = false;

  function setState(next: ResourceState<T>): void {
    state = next;
    for (const listener of listeners) listener();
  }

  async function fetchState(cacheMode: CacheMode): Promise<ResourceState<T>> {
    try {
      return { phase: "ready", response: await fetcher<T>(path, { cacheMode: cacheMode }) };
    } catch (error) {
      const problem = error as ApiProblem;
      if (state.phase !== "ready" || !OUTAGE_KINDS.has(problem.kind)) return { phase: "failed", problem };
      return { phase: "ready", response: { ...state.response, problem } };
    }
  }

  async function load(cacheMode: CacheMode): Promise<void> {
    if (isLoading) return;
    isLoading = true;
    const slow = setTimeout(() => {
      if (state.phase === "loading") setState({ phase: "loading", isSlow: true });
    }, SLOW_AFTER_MS);
    setState(await fetchState(cacheMode));
    clearTimeout(slow);
    isLoading = false;
  }

  return {
    state: () => state,
    subscribe(listener) {
      if (listeners.size === 0 && state.phase === "loading") void load(initialCacheMode());
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refresh: () => load("no-cache"),
  };
}

const resources = new Map<string, Resource<unknown>>();

/** Returns the page's shared resource of a path. */
export function getResource<T>(path: string): Resource<T> {
  const resource = resources.get(path) ?? createResource<unknown>(path);
  resources.set(path, resource);
  return resource as Resource<T>;
}

/** Fetches every resource of the page again. */
export async function refreshAll(): Promise<void> {
  await Promise.all([...resources.values()].map((resource) => resource.refresh()));
}
