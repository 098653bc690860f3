/** Which rows of a long table are near the screen; this code loads only where a table is long. */
import {
  observeWindowOffset,
  observeWindowRect,
  type VirtualItem,
  Virtualizer,
  type VirtualizerOptions,
  windowScroll,
} from "@tanstack/virtual-core";

/** Rows beyond each edge of the screen: what the Tab key and a quick turn of the wheel reach. */
const BEYOND = 12;
/** The usual height of a row, until it is measured: on a phone it has two lines. */
const USUAL_PX = { wide: 43, narrow: 96 } as const;
const NARROW = "(max-width: 56rem)";

/** The rows `first` up to but without `end`, and the height of those above and below. */
export interface RowWindow {
  readonly first: number;
  readonly end: number;
  readonly above: number;
  readonly below: number;
}

export class RowWindows {
  readonly #virtualizer: Virtualizer<Window, HTMLTableRowElement>;
  readonly #render: () => void;
  #keys: readonly string[] = [];
  #top = 0;

  constructor(render: () => void) {
    this.#render = render;
    this.#virtualizer = new Virtualizer(this.#options());
  }

  /** Follows the window's scrolling until the returned function is called. */
  follow(): () => void {
    return this.#virtualizer._didMount();
  }

  /** Measures a row; it has its position in `data-index`. */
  readonly measure = (row: HTMLTableRowElement | null): void => this.#virtualizer.measureElement(row);

  /** Applies what was rendered. */
  update(): void {
    this.#virtualizer._willUpdate();
  }

  /** Returns the rows near the screen of a table that begins `top` pixels below the top of the page. */
  of(keys: readonly string[], top: number): RowWindow {
    if (keys !== this.#keys || top !== this.#top) {
      this.#keys = keys;
      this.#top = top;
      this.#virtualizer.setOptions(this.#options());
    }
    const items = this.#virtualizer.getVirtualItems();
    const [first, last]: readonly (VirtualItem | undefined)[] = [items[0], items.at(-1)];
    if (first === undefined || last === undefined) return { first: 0, end: 0, above: 0, below: 0 };
    const below = this.#virtualizer.getTotalSize() + top - last.end;
    return { first: first.index, end: last.index + 1, above: first.start - top, below };
  }

  #options(): VirtualizerOptions<Window, HTMLTableRowElement> {
    const keys = this.#keys;
    return {
      count: keys.length,
      getItemKey: (index: number) => keys[index] ?? index,
      getScrollElement: () => window,
      estimateSize: () => (matchMedia(NARROW).matches ? USUAL_PX.narrow : USUAL_PX.wide),
      overscan: BEYOND,
      scrollMargin: this.#top,
      onChange: this.#render,
      initialOffset: () => window.scrollY,
      initialRect: { width: innerWidth, height: innerHeight },
      observeElementRect: observeWindowRect,
      observeElementOffset: observeWindowOffset,
      scrollToFn: windowScroll,
    };
  }
}
