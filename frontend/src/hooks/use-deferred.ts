import { useEffect, useState } from "react";
import { afterPaint } from "./after-paint";

/**
 * Returns the previous `value` until the next paint, then the new one.
 *
 * Expensive components render the deferred value, so that the control that changed it updates at once.
 */
export function useDeferred<T>(value: T, isVisible = true): T {
  const [deferred, setDeferred] = useState(value);
  useEffect(() => {
    if (Object.is(value, deferred)) return;
    return afterPaint(() => setDeferred(() => value), isVisible);
  }, [value, deferred, isVisible]);
  return deferred;
}
