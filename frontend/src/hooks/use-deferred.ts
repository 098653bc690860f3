import { useEffect, useState } from "react";
import { afterPaint } from "./after-paint";

/**
 * Returns `value` as it was until the press that changed it has been answered on screen, then the new one.
 *
 * What is dear to draw follows this, and what was pressed shows at once that it was.
 */
export function useFollowed<T>(value: T, isInSight = true): T {
  const [followed, setFollowed] = useState(value);
  useEffect(() => {
    if (Object.is(value, followed)) return;
    return afterPaint(() => setFollowed(() => value), isInSight);
  }, [value, followed, isInSight]);
  return followed;
}
