/** Contexts that all components share: formats, current time, announcements, and the view. */
import { createContext, useContext } from "react";
import { createFormats, type Formats } from "../format/format";
import { DEFAULT_VIEW, type View } from "../view/view";

/** Values that rarely change; a component that uses only these does not render again when the view changes. */
export interface PageContextValue {
  readonly format: Formats;
  readonly now: number;
  /** Shows a short message, which screen readers announce. */
  readonly announce: (text: string) => void;
  /** Changes the view; the browser's Back undoes it. */
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
