/** Whether the page is being printed: charts that were never near the viewport are drawn then, and smaller. */
import { useSyncExternalStore } from "react";

/** On paper four or five charts are beside each other, or two large ones. */
const PRINTED = { width: 190, height: 105 } as const;
const PRINTED_LARGE = { width: 340, height: 140 } as const;
const LARGE_PX = 300;

/** Returns the size on paper of a chart that has this height on the screen. */
export function printedSize(height: number): { readonly width: number; readonly height: number } {
  return height >= LARGE_PX ? PRINTED_LARGE : PRINTED;
}

/** Longest wait for charts before the print dialog opens. */
const MOST_WAIT_MS = 10_000;
const PENDING = ".is-pending, .stage-plot:empty, [aria-busy=true]";

const listeners = new Set<() => void>();
/** Reasons to draw for paper: the print dialog of the page itself, or the browser's media type. */
const reasons = new Set<"dialog" | "media" | "event">();

function set(reason: "dialog" | "media" | "event", isOn: boolean): void {
  if (isOn) reasons.add(reason);
  else reasons.delete(reason);
  for (const listener of listeners) listener();
}

function isPrinting(): boolean {
  return reasons.size > 0;
}

/** Follows the browser's print events, and prepares the page when the print dialog is opened by keyboard. */
export function watchPrinting(): void {
  const media = matchMedia("print");
  const follow = (): void => set("media", media.matches);
  media.addEventListener("change", follow);
  follow();
  addEventListener("beforeprint", () => set("event", true));
  addEventListener("afterprint", () => set("event", false));
  addEventListener("keydown", (event) => {
    const isPrint = event.key.toLowerCase() === "p" && (event.ctrlKey || event.metaKey);
    if (!isPrint || event.shiftKey || event.altKey) return;
    // the browser would print before a chart could load
    event.preventDefault();
    void printPage();
  });
}

/** Draws every chart, then opens the print dialog. */
export async function printPage(): Promise<void> {
  set("dialog", true);
  const until = performance.now() + MOST_WAIT_MS;
  // two frames, in which sections that were never shown render and ask for their data
  do await new Promise((done) => setTimeout(done, 150));
  while (isWaiting() && performance.now() < until);
  print();
  set("dialog", false);
}

function isWaiting(): boolean {
  if (document.querySelector(PENDING) !== null) return true;
  return [...document.querySelectorAll(".stage.is-blank")].some((stage) => stage.textContent === "Loading…");
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Returns whether the page is being printed. */
export function usePrinting(): boolean {
  return useSyncExternalStore(subscribe, isPrinting);
}
