/** The view, how to change it, and how to write numbers: what every part of the page needs. */
import { createContext, useContext } from "react";
import { createFormats, type Formats } from "../format/format";
import { DEFAULT_VIEW, type View } from "../view/view";

/** What stays the same from one press to the next: a part that needs no more is not rendered again. */
export interface PageContextValue {
  readonly format: Formats;
  readonly now: number;
  /** Says something to everybody: shown for a moment, read out politely. */
  readonly announce: (text: string) => void;
  /** Changes parts of the view, as one step that the browser's Back undoes. */
  readonly change: (changes: Partial<View>) => void;
}

export interface ViewContextValue {
  readonly view: View;
  readonly undo: (() => void) | null;
}

export const PageContext = createContext<PageContextValue>({
  format: createFormats(undefined, false),
  now: 0,
  announce: () => undefined,
  change: () => undefined,
});

export const ViewContext = createContext<ViewContextValue>({ view: DEFAULT_VIEW, undo: null });

export function usePage(): PageContextValue {
  return useContext(PageContext);
}

export function useView(): ViewContextValue {
  return useContext(ViewContext);
}
