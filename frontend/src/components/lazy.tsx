import { type ReactNode, useEffect, useState } from "react";
import { useNearViewport } from "../hooks/use-near-viewport";

interface Props {
  /** Position in the rendering order; each section renders in its own task. */
  readonly order: number;
  readonly children: ReactNode;
}

const DELAY_MS = 60;

/** Renders its children after the overview, so that they do not delay it. */
export function DeferredRender({ order, children }: Props) {
  const [isReady, setReady] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setReady(true), DELAY_MS * (order + 1));
    return () => clearTimeout(timer);
  }, [order]);
  return isReady ? children : null;
}

/** Renders its children once it is near the viewport; links to `id` work before that. */
export function LazySection({ id, children }: { readonly id: string; readonly children: ReactNode }) {
  const [ref, hasBeenNear] = useNearViewport<HTMLDivElement>();
  return (
    <div id={id} ref={ref} className={hasBeenNear ? undefined : "is-pending"}>
      {hasBeenNear && children}
    </div>
  );
}
