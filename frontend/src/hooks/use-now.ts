import { useEffect, useState } from "react";

const MINUTE_MS = 60_000;

/** Returns what time it is, to the minute: ages on the page are never told by the API. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
