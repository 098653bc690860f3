/** The view, how to change it, and how to write numbers: what every part of the page needs. */
import { createContext, useContext } from "react";
import { type Formats, formatsOf } from "../format/format";
import { DEFAULT_VIEW, type View } from "../view/view";

export interface PageContext {
  readonly view: View;
  /** Changes parts of the view, as one step that the browser's Back undoes. */
  readonly change: (changes: Partial<View>) => void;
  readonly undo: (() => void) | null;
  readonly format: Formats;
  readonly now: number;
  /** Says something to everybody: shown for a moment, read out politely. */
  readonly announce: (text: string) => void;
}

export const Page = createContext<PageContext>({
  view: DEFAULT_VIEW,
  change: () => undefined,
  undo: null,
  format: formatsOf(undefined, false),
  now: 0,
  announce: () => undefined,
});

export function usePage(): PageContext {
  return useContext(Page);
}
