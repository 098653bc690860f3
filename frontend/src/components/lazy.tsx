import { type ReactNode, useEffect, useState } from "react";
import { useNearViewport } from "../hooks/use-near-viewport";

interface Props {
  /** Place in the row of what waits: each is rendered in a task of its own, in this order. */
  readonly order: number;
  readonly children: ReactNode;
}

const DELAY_MS = 60;

/** Renders what is below the first numbers once they are on screen, so that nothing holds those up. */
export function DeferredRender({ order, children }: Props) {
  const [isReady, setReady] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setReady(true), DELAY_MS * (order + 1));
    return () => clearTimeout(timer);
  }, [order]);
  return isReady ? children : null;
}

/** Renders a section once it comes near the screen; until then a link to `id` finds its place. */
export function LazySection({ id, children }: { readonly id: string; readonly children: ReactNode }) {
  const [ref, hasBeenNear] = useNearViewport<HTMLDivElement>();
  return (
    <div id={id} ref={ref} className={hasBeenNear ? undefined : "not-yet"}>
      {hasBeenNear && children}
    </div>
  );
}
