/**
 * Work that waits until the reader's press has been answered on screen.
 *
 * One piece is done at a time, each in a task of its own, so that the next press never waits for more than one.
 * What is in sight goes first; the rest follows when the browser has nothing better to do.
 */
type Work = () => void;

const inSight = new Set<Work>();
const elsewhere = new Set<Work>();
let isWaiting = false;

/** How long work that is out of sight may wait for an idle moment. */
const PATIENCE_MS = 1_500;

/** Does `work` after the next paint; the function returned calls it off. */
export function afterPaint(work: Work, isInSight = true): Work {
  const queue = isInSight ? inSight : elsewhere;
  queue.add(work);
  wake();
  return () => queue.delete(work);
}

function wake(): void {
  if (isWaiting || inSight.size + elsewhere.size === 0) return;
  isWaiting = true;
  if (inSight.size === 0) whenIdle(doNext);
  // a page in the background paints nothing, and would never come to its work
  else if (document.hidden) setTimeout(doNext);
  else requestAnimationFrame(() => setTimeout(doNext));
}

function whenIdle(work: Work): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(work, { timeout: PATIENCE_MS });
  else setTimeout(work, 50); // Safari
}

function doNext(): void {
  isWaiting = false;
  const queue = inSight.size > 0 ? inSight : elsewhere;
  const [work] = queue;
  if (work !== undefined) queue.delete(work);
  try {
    work?.();
  } finally {
    wake();
  }
}
