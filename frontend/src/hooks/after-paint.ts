/**
 * Schedules work after the next paint, so that the page responds to a click before it renders the result.
 *
 * Each piece of work runs in its own task, so that a click waits for one piece at most. Visible work runs first;
 * offscreen work runs when the browser is idle.
 */
type Work = () => void;

const visibleWork = new Set<Work>();
const offscreenWork = new Set<Work>();
let isScheduled = false;

/** Offscreen work runs after this time even if the browser is never idle. */
const IDLE_TIMEOUT_MS = 1_500;

/** Runs `work` after the next paint; the returned function cancels it. */
export function afterPaint(work: Work, isVisible = true): Work {
  const queue = isVisible ? visibleWork : offscreenWork;
  queue.add(work);
  schedule();
  return () => queue.delete(work);
}

function schedule(): void {
  if (isScheduled || visibleWork.size + offscreenWork.size === 0) return;
  isScheduled = true;
  if (visibleWork.size === 0) whenIdle(runNext);
  // a hidden page never paints
  else if (document.hidden) setTimeout(runNext);
  else requestAnimationFrame(() => setTimeout(runNext));
}

function whenIdle(work: Work): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(work, { timeout: IDLE_TIMEOUT_MS });
  else setTimeout(work, 50); // Safari
}

function runNext(): void {
  isScheduled = false;
  const queue = visibleWork.size > 0 ? visibleWork : offscreenWork;
  const [work] = queue;
  if (work !== undefined) queue.delete(work);
  try {
    work?.();
  } finally {
    schedule();
  }
}
