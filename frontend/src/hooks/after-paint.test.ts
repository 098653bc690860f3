import { beforeEach, expect, test, vi } from "vitest";
import { afterPaint } from "./after-paint";

const done: string[] = [];

beforeEach(() => {
  done.length = 0;
  vi.useFakeTimers();
  // what a browser has and Node has not
  vi.stubGlobal("document", { hidden: false });
  vi.stubGlobal("requestAnimationFrame", (work: () => void) => setTimeout(work, 16));
  vi.stubGlobal("requestIdleCallback", (work: () => void) => setTimeout(work, 50));
});

test("what is in sight goes first, each piece in a task of its own", () => {
  afterPaint(() => done.push("elsewhere"), false);
  for (const name of ["one", "two"]) afterPaint(() => done.push(name));
  expect(done).toEqual([]);
  vi.advanceTimersToNextTimer();
  expect(done.length).toBeLessThanOrEqual(1);
  vi.runAllTimers();
  expect(done).toEqual(["one", "two", "elsewhere"]);
});

test("what is called off is not done, and what throws does not hold up the rest", () => {
  afterPaint(() => done.push("off"))();
  afterPaint(() => {
    throw new Error("broken");
  });
  afterPaint(() => done.push("next"));
  expect(() => vi.runAllTimers()).toThrow("broken");
  vi.runAllTimers();
  expect(done).toEqual(["next"]);
});

test("a page in the background, which paints nothing, still comes to its work", () => {
  vi.stubGlobal("document", { hidden: true });
  vi.stubGlobal("requestAnimationFrame", () => 0);
  afterPaint(() => done.push("hidden"));
  vi.runAllTimers();
  expect(done).toEqual(["hidden"]);
});
