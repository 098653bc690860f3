/** One request of the page as a value that changes: loading, slow, ready, failed; shared by whoever asks it. */
import { type Answer, ask, FALLS_BACK, type Freshness, freshnessAtFirst } from "./client";
import type { ApiProblem } from "./problems";

export type ResourceState<T> =
  | { readonly phase: "loading"; readonly isSlow: boolean }
  | { readonly phase: "ready"; readonly answer: Answer<T> }
  | { readonly phase: "failed"; readonly problem: ApiProblem };

export interface Resource<T> {
  readonly state: () => ResourceState<T>;
  readonly subscribe: (listener: () => void) => () => void;
  /** Asks the API again; what is shown stays until the new answer is there, or longer where none comes. */
  readonly refresh: () => Promise<void>;
}

/** After this long without an answer the page says so. */
export const SLOW_AFTER_MS = 4_000;

export type Asker = <T>(path: string, wants: { readonly freshness: Freshness }) => Promise<Answer<T>>;

/** Returns a resource over `path` that asks at its first subscription. */
export function createResource<T>(path: string, asker: Asker = ask): Resource<T> {
  const listeners = new Set<() => void>();
  let state: ResourceState<T> = { phase: "loading", isSlow: false };
  let isAsking = false;

  function become(next: ResourceState<T>): void {
    state = next;
    for (const listener of listeners) listener();
  }

  async function asked(freshness: Freshness): Promise<ResourceState<T>> {
    try {
      return { phase: "ready", answer: await asker<T>(path, { freshness }) };
    } catch (error) {
      const problem = error as ApiProblem;
      if (state.phase !== "ready" || !FALLS_BACK.has(problem.kind)) return { phase: "failed", problem };
      return { phase: "ready", answer: { ...state.answer, problem } };
    }
  }

  async function load(freshness: Freshness): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    const slow = setTimeout(() => {
      if (state.phase === "loading") become({ phase: "loading", isSlow: true });
    }, SLOW_AFTER_MS);
    become(await asked(freshness));
    clearTimeout(slow);
    isAsking = false;
  }

  return {
    state: () => state,
    subscribe(listener) {
      if (listeners.size === 0 && state.phase === "loading") void load(freshnessAtFirst());
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refresh: () => load("newest"),
  };
}

const known = new Map<string, Resource<unknown>>();

/** Returns the page's one resource of a path. */
export function resourceOf<T>(path: string): Resource<T> {
  const found = known.get(path) ?? createResource<unknown>(path);
  known.set(path, found);
  return found as Resource<T>;
}

/** Asks everything again that the page has asked: after five minutes on a wall, or when the API is back. */
export async function refreshAll(): Promise<void> {
  await Promise.all([...known.values()].map((resource) => resource.refresh()));
}
