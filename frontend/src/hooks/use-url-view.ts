import { useCallback, useEffect, useRef, useState } from "react";
import { type ParsedView, parseView, serializeView } from "../view/url";
import type { View } from "../view/view";

export interface UrlView extends ParsedView {
  readonly change: (changes: Partial<View>) => void;
  readonly undo: (() => void) | null;
}

interface Step {
  /** Number of changes of the view before this history entry. */
  readonly depth: number;
  /** Number of entries since the last change: links to a section of the page, which Undo passes over. */
  readonly jumps: number;
}

const FIRST: Step = { depth: 0, jumps: 0 };

function stepHere(): Step | null {
  return history.state as Step | null;
}

function undoChange(): void {
  history.go(-1 - (stepHere()?.jumps ?? 0));
}

/** Returns the view in the URL. Each change adds one history entry, so that Back undoes it. */
export function useUrlView(): UrlView {
  const [read, setRead] = useState<ParsedView>(() => parseView(location.search));

  const last = useRef<Step>(FIRST);

  useEffect(() => {
    if (stepHere() === null) history.replaceState(FIRST, "");
    last.current = stepHere() ?? FIRST;
    const follow = (): void => {
      // only the entry of a link to a section has no state; without its hash, no copied link has it either
      if (stepHere() === null) {
        const { depth, jumps } = last.current;
        history.replaceState({ depth, jumps: jumps + 1 }, "", `${location.pathname}${location.search}`);
      }
      last.current = stepHere() ?? FIRST;
      setRead(parseView(location.search));
    };
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);

  const change = useCallback((changes: Partial<View>) => {
    setRead((before) => {
      const view = { ...before.view, ...changes };
      const search = serializeView(view);
      if (search !== location.search) {
        last.current = { depth: (stepHere()?.depth ?? 0) + 1, jumps: 0 };
        history.pushState(last.current, "", `${location.pathname}${search}`);
      }
      return { view, invalidParameters: [] };
    });
  }, []);

  return { ...read, change, undo: (stepHere()?.depth ?? 0) > 0 ? undoChange : null };
}
