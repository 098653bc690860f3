import { useCallback, useEffect, useState } from "react";
import { type ParsedView, parseView, serializeView } from "../view/url";
import type { View } from "../view/view";

export interface UrlView extends ParsedView {
  readonly change: (changes: Partial<View>) => void;
  readonly undo: (() => void) | null;
}

interface Step {
  /** Number of history entries that this page added before this one. */
  readonly depth: number;
}

function back(): void {
  history.back();
}

function depthHere(): number {
  return (history.state as Step | null)?.depth ?? 0;
}

/** Returns the view in the URL. Each change adds one history entry, so that Back undoes it. */
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
