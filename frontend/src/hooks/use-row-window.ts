import { type RefObject, useEffect, useLayoutEffect, useReducer, useRef, useState } from "react";
import { usePrinting } from "./printing";
import type { RowWindow, RowWindows } from "./row-window";

/** A table with more rows is drawn only near the screen: sorting 200 rows would take a third of a second. */
export const MOST_WHOLE = 60;
/** Rows of the first paint of such a table: more than a screen shows. */
const FIRST = 40;

export interface ShownRows extends RowWindow {
  /** Measures a row that has its position in `data-index`; null where all rows are drawn. */
  readonly measure: ((row: HTMLTableRowElement | null) => void) | null;
}

/** Returns which rows of a table are drawn: all of a short one, all on paper, else those near the screen. */
export function useRowWindow(keys: readonly string[], table: RefObject<HTMLElement | null>): ShownRows {
  const isWhole = usePrinting() || keys.length <= MOST_WHOLE;
  const [, render] = useReducer((count: number) => count + 1, 0);
  const top = useRef(0);
  const windows = useWindows(isWhole, render as () => void);
  useLayoutEffect(() => {
    if (isWhole) return;
    top.current = (table.current?.getBoundingClientRect().top ?? 0) + scrollY;
    if (typeof windows !== "string") windows.update();
  });
  if (isWhole || windows === "failed")
    return { first: 0, end: keys.length, above: 0, below: 0, measure: null };
  if (windows === "loading") return { first: 0, end: FIRST, above: 0, below: 0, measure: null };
  return { ...windows.of(keys, top.current), measure: windows.measure };
}

/** Loads what follows the scrolling once a table is long; if it cannot be loaded, all rows are drawn. */
function useWindows(isWhole: boolean, render: () => void): RowWindows | "loading" | "failed" {
  const [windows, setWindows] = useState<RowWindows | "loading" | "failed">("loading");
  useEffect(() => {
    if (isWhole || windows !== "loading") return;
    import("./row-window").then(
      (loaded) => setWindows(new loaded.RowWindows(render)),
      () => setWindows("failed"),
    );
  }, [isWhole, windows, render]);
  useLayoutEffect(
    () => (isWhole || typeof windows === "string" ? undefined : windows.follow()),
    [isWhole, windows],
  );
  return windows;
}
