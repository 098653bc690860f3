import { useSyncExternalStore } from "react";
import { createResource, getResource, type ResourceState } from "../api/resource";

const idle = createResource<never>("", () => new Promise(() => undefined));

/** Returns the state of the resource at a path; `null` fetches nothing and stays loading. */
export function useResource<T>(path: string | null): ResourceState<T> {
  const resource = path === null ? idle : getResource<T>(path);
  return useSyncExternalStore(resource.subscribe, resource.state) as ResourceState<T>;
}
