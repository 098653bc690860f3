import { type RefObject, useEffect, useRef, useState } from "react";
import { afterPaint } from "./after-paint";
import { usePrinting } from "./printing";

/** After this time, offscreen elements render too: for find in page and navigation by heading. */
const RENDER_ANYWAY_AFTER_MS = 5_000;

/** Returns a ref, whether its element has been near the viewport (or should render anyway), and whether it is now. */
export function useNearViewport<T extends Element>(): [RefObject<T | null>, boolean, boolean] {
  const ref = useRef<T>(null);
  const [wasNear, setWasNear] = useState(false);
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    if (ref.current === null) return;
    const show = (): void => setWasNear(true);
    const observer = new IntersectionObserver(
      (entries) => {
        const isIntersecting = entries.at(-1)?.isIntersecting === true;
        setNear(isIntersecting);
        if (isIntersecting) show();
      },
      { rootMargin: "200px" },
    );
    observer.observe(ref.current);
    const timer = setTimeout(() => afterPaint(show, false), RENDER_ANYWAY_AFTER_MS);
    return () => {
      observer.disconnect();
      clearTimeout(timer);
    };
  }, []);
  const isPrinting = usePrinting();
  useEffect(() => {
    if (isPrinting) setWasNear(true);
  }, [isPrinting]);
  return [ref, wasNear || isPrinting, isNear || isPrinting];
}
