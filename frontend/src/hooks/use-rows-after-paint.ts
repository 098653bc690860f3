import { useEffect, useState } from "react";
import { afterPaint } from "./after-paint";

/** Rows of the first paint: more than a screen shows. */
const FIRST = 40;

/** Returns the first rows at once and all of them after the next paint: 200 rows would delay it. */
export function useRowsAfterPaint<T>(rows: readonly T[]): readonly T[] {
  const [isComplete, setComplete] = useState(false);
  useEffect(() => afterPaint(() => setComplete(true)), []);
  return isComplete || rows.length <= FIRST ? rows : rows.slice(0, FIRST);
}
