import { useSyncExternalStore } from "react";
import { createResource, getResource, type ResourceState } from "../api/resource";

const nothing = createResource<never>("", () => new Promise(() => undefined));

/** Follows the answer at a path; `null` asks nothing and stays loading. */
export function useResource<T>(path: string | null): ResourceState<T> {
  const resource = path === null ? nothing : getResource<T>(path);
  return useSyncExternalStore(resource.subscribe, resource.state) as ResourceState<T>;
}
