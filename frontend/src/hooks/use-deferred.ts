import { useEffect, useState } from "react";
import { afterPaint } from "./after-paint";

/**
 * Returns `value` as it was until the press that changed it has been answered on screen, then the new one.
 *
 * What is dear to draw follows this, and what was pressed shows at once that it was.
 */
export function useDeferred<T>(value: T, isVisible = true): T {
  const [deferred, setDeferred] = useState(value);
  useEffect(() => {
    if (Object.is(value, deferred)) return;
    return afterPaint(() => setDeferred(() => value), isVisible);
  }, [value, deferred, isVisible]);
  return deferred;
}
