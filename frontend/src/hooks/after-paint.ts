/**
 * Work that waits until the reader's press has been answered on screen.
 *
 * One piece is done at a time, each in a task of its own, so that the next press never waits for more than one.
 * What is in sight goes first; the rest follows when the browser has nothing better to do.
 */
type Work = () => void;

const visibleWork = new Set<Work>();
const offscreenWork = new Set<Work>();
let isScheduled = false;

/** How long work that is out of sight may wait for an idle moment. */
const IDLE_TIMEOUT_MS = 1_500;

/** Does `work` after the next paint; the function returned calls it off. */
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
  // a page in the background paints nothing, and would never come to its work
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
