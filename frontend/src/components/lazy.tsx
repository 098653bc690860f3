import { type ReactNode, useEffect, useState } from "react";
import { useSeen } from "../hooks/use-near-viewport";

interface Props {
  /** Place in the row of what waits: each is rendered in a task of its own, in this order. */
  readonly order: number;
  readonly children: ReactNode;
}

const APART_MS = 60;

/** Renders what is below the first numbers once they are on screen, so that nothing holds those up. */
export function Later({ order, children }: Props) {
  const [isDue, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), APART_MS * (order + 1));
    return () => clearTimeout(timer);
  }, [order]);
  return isDue ? children : null;
}

/** Renders a section once it comes near the screen; until then a link to `id` finds its place. */
export function Near({ id, children }: { readonly id: string; readonly children: ReactNode }) {
  const [ref, isSeen] = useSeen<HTMLDivElement>();
  return (
    <div id={id} ref={ref} className={isSeen ? undefined : "not-yet"}>
      {isSeen && children}
    </div>
  );
}
