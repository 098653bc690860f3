import { expect, test, vi } from "vitest";
import { ApiProblem } from "./problems";
import { createResource, type Fetcher, SLOW_AFTER_MS } from "./resource";

const responding =
  (body: unknown): Fetcher =>
  async <T>() => ({ body: body as T, receivedAt: 1, problem: null });

test("a resource does not fetch before its first subscription", async () => {
  const fetcher = vi.fn(responding(1));
  const resource = createResource("/status", fetcher as Fetcher);
  expect(fetcher).not.toHaveBeenCalled();
  resource.subscribe(() => undefined);
  await vi.waitFor(() => expect(resource.state().phase).toBe("ready"));
  expect(fetcher).toHaveBeenCalledTimes(1);
});

test("a resource without a response is slow after a while", async () => {
  vi.useFakeTimers();
  const never: Fetcher = () => new Promise(() => undefined);
  const resource = createResource("/status", never);
  resource.subscribe(() => undefined);
  vi.advanceTimersByTime(SLOW_AFTER_MS);
  expect(resource.state()).toEqual({ phase: "loading", isSlow: true });
  vi.useRealTimers();
});

test("a failed resource recovers on refresh", async () => {
  let isDown = true;
  const fetcher: Fetcher = async <T>() => {
    if (isDown) throw new ApiProblem("unreachable", "down");
    return { body: 2 as T, receivedAt: 1, problem: null };
  };
  const resource = createResource("/status", fetcher);
  await resource.refresh();
  expect(resource.state().phase).toBe("failed");
  isDown = false;
  await resource.refresh();
  expect(resource.state().phase).toBe("ready");
});

test.each([
  ["unreachable", true],
  ["timeout", true],
  ["failed", true],
  ["token-required", false],
  ["not-found", false],
  ["not-ready", false],
  ["malformed", false],
] as const)("a loaded resource with the problem %s keeps its data: %s", async (kind, isKept) => {
  let isDown = false;
  const fetcher: Fetcher = async <T>() => {
    if (isDown) throw new ApiProblem(kind, "down");
    return { body: 2 as T, receivedAt: 1, problem: null };
  };
  const resource = createResource<number>("/status", fetcher);
  await resource.refresh();
  isDown = true;
  await resource.refresh();
  expect(resource.state()).toMatchObject(
    isKept
      ? { phase: "ready", response: { body: 2, receivedAt: 1, problem: { kind } } }
      : { phase: "failed", problem: { kind } },
  );
});

test("a refresh revalidates with the API", async () => {
  const fetcher = vi.fn(responding(1));
  await createResource("/status", fetcher as Fetcher).refresh();
  expect(fetcher).toHaveBeenCalledWith("/status", { cacheMode: "no-cache" });
});
