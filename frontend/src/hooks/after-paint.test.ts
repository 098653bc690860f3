import { beforeEach, expect, test, vi } from "vitest";
import { afterPaint } from "./after-paint";

const done: string[] = [];

beforeEach(() => {
  done.length = 0;
  vi.useFakeTimers();
  // Node does not have these browser APIs
  vi.stubGlobal("document", { hidden: false });
  vi.stubGlobal("requestAnimationFrame", (work: () => void) => setTimeout(work, 16));
  vi.stubGlobal("requestIdleCallback", (work: () => void) => setTimeout(work, 50));
});

test("visible work runs first, and each piece runs in its own task", () => {
  afterPaint(() => done.push("offscreen"), false);
  for (const name of ["one", "two"]) afterPaint(() => done.push(name));
  expect(done).toEqual([]);
  vi.advanceTimersToNextTimer();
  expect(done.length).toBeLessThanOrEqual(1);
  vi.runAllTimers();
  expect(done).toEqual(["one", "two", "offscreen"]);
});

test("cancelled work does not run, and an error does not stop other work", () => {
  afterPaint(() => done.push("cancelled"))();
  afterPaint(() => {
    throw new Error("broken");
  });
  afterPaint(() => done.push("next"));
  expect(() => vi.runAllTimers()).toThrow("broken");
  vi.runAllTimers();
  expect(done).toEqual(["next"]);
});

test("work runs on a hidden page, which never paints", () => {
  vi.stubGlobal("document", { hidden: true });
  vi.stubGlobal("requestAnimationFrame", () => 0);
  afterPaint(() => done.push("hidden"));
  vi.runAllTimers();
  expect(done).toEqual(["hidden"]);
});
