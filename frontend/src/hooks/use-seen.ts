import { type RefObject, useEffect, useRef, useState } from "react";

/** Says whether an element has come near the screen; once true it stays true. Printing brings everything near. */
export function useSeen<T extends Element>(): [RefObject<T | null>, boolean] {
  const ref = useRef<T>(null);
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (element === null || isSeen) return;
    const show = (): void => setSeen(true);
    const observer = new IntersectionObserver(
      (entries) => entries.some((one) => one.isIntersecting) && show(),
      {
        rootMargin: "200px",
      },
    );
    observer.observe(element);
    addEventListener("beforeprint", show);
    return () => {
      observer.disconnect();
      removeEventListener("beforeprint", show);
    };
  }, [isSeen]);
  return [ref, isSeen];
}
