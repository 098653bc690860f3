import { expect, test, vi } from "vitest";
import { ApiProblem } from "./problems";
import { createResource, type Fetcher, SLOW_AFTER_MS } from "./resource";

const answering =
  (body: unknown): Fetcher =>
  async <T>() => ({ body: body as T, receivedAt: 1, problem: null });

test("nothing is asked before somebody looks", async () => {
  const fetcher = vi.fn(answering(1));
  const resource = createResource("/status", fetcher as Fetcher);
  expect(fetcher).not.toHaveBeenCalled();
  resource.subscribe(() => undefined);
  await vi.waitFor(() => expect(resource.state().phase).toBe("ready"));
  expect(fetcher).toHaveBeenCalledTimes(1);
});

test("an answer that takes long is said to be slow, then shown", async () => {
  vi.useFakeTimers();
  const never: Fetcher = () => new Promise(() => undefined);
  const resource = createResource("/status", never);
  resource.subscribe(() => undefined);
  vi.advanceTimersByTime(SLOW_AFTER_MS);
  expect(resource.state()).toEqual({ phase: "loading", isSlow: true });
  vi.useRealTimers();
});

test("a failure is told, and asking again mends it", async () => {
  let isDown = true;
  const fetcher: Fetcher = async <T>() => {
    if (isDown) throw new ApiProblem("unreachable", "away");
    return { body: 2 as T, receivedAt: 1, problem: null };
  };
  const resource = createResource("/status", fetcher);
  await resource.refresh();
  expect(resource.state().phase).toBe("failed");
  isDown = false;
  await resource.refresh();
  expect(resource.state().phase).toBe("ready");
});

test("numbers that are shown stay when the API goes away, with the reason beside them", async () => {
  let isDown = false;
  const fetcher: Fetcher = async <T>() => {
    if (isDown) throw new ApiProblem("unreachable", "away");
    return { body: 2 as T, receivedAt: 1, problem: null };
  };
  const resource = createResource<number>("/status", fetcher);
  await resource.refresh();
  isDown = true;
  await resource.refresh();
  expect(resource.state()).toMatchObject({
    phase: "ready",
    response: { body: 2, problem: { kind: "unreachable" } },
  });
});

test("asking again asks the API and not the browser's memory", async () => {
  const fetcher = vi.fn(answering(1));
  await createResource("/status", fetcher as Fetcher).refresh();
  expect(fetcher).toHaveBeenCalledWith("/status", { cacheMode: "no-cache" });
});
