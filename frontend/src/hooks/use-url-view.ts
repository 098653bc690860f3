import { useCallback, useEffect, useState } from "react";
import { type ParsedView, parseView, serializeView } from "../view/url";
import type { View } from "../view/view";

export interface UrlView extends ParsedView {
  readonly change: (changes: Partial<View>) => void;
  readonly undo: (() => void) | null;
}

interface Step {
  /** How many steps of this page lie before this one in the browser's history. */
  readonly depth: number;
}

function back(): void {
  history.back();
}

function depthHere(): number {
  return (history.state as Step | null)?.depth ?? 0;
}

/** Keeps the view in the address: each change is one step of the browser's history, and Back undoes it. */
export function useUrlView(): UrlView {
  const [read, setRead] = useState<ParsedView>(() => parseView(location.search));

  useEffect(() => {
    const follow = (): void => setRead(parseView(location.search));
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);

  const change = useCallback((changes: Partial<View>) => {
    setRead((last) => {
      const view = { ...last.view, ...changes };
      const search = serializeView(view);
      const step: Step = { depth: depthHere() + 1 };
      if (search !== location.search)
        history.pushState(step, "", `${location.pathname}${search}${location.hash}`);
      return { view, invalidParameters: [] };
    });
  }, []);

  return { ...read, change, undo: depthHere() > 0 ? back : null };
}
