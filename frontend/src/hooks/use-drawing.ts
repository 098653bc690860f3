import { type RefObject, useEffect, useState } from "react";
import type { Drawing, DrawOptions } from "../chart/draw";
import type { Line } from "../chart/lines";
import { rememberDraw } from "../chart/redraw";
import { afterPaint } from "./after-paint";
import { printedSize, usePrinting } from "./printing";

/** Returns the width of an element, and follows it. */
export function useWidth(ref: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}

/**
 * Draws the lines, and again when they or an option changes; puts the drawing into the element.
 *
 * What draws loads with the first chart near the viewport. Visible charts are drawn first.
 */
export function useDrawing(
  ref: RefObject<HTMLElement | null>,
  lines: readonly Line[],
  options: DrawOptions,
  isVisible: boolean,
): Drawing | null {
  const [drawing, setDrawing] = useState<Drawing | null>(null);
  const isPrinting = usePrinting();
  const { isLog, fromZero, isSmall, isAligned, short, tick } = options;
  const { width, height } = isPrinting ? printedSize(options.height) : options;
  useEffect(() => {
    if (width === 0) return;
    let cancel: (() => void) | null = null;
    let isCurrent = true;
    void import("../chart/draw").then(({ draw }) => {
      if (!isCurrent) return;
      const drawAt = (wide: number, high: number): Drawing =>
        draw(lines, { width: wide, height: high, isLog, fromZero, isSmall, isAligned, short, tick });
      const work = (): void => {
        const drawn = drawAt(width, height);
        rememberDraw(drawn.svg, (wide, high) => drawAt(wide, high).svg);
        setDrawing(drawn);
      };
      cancel = afterPaint(work, isVisible);
    });
    return () => {
      isCurrent = false;
      cancel?.();
    };
    // not isVisible: becoming visible does not change the drawing
  }, [lines, width, height, isLog, fromZero, isSmall, isAligned, short, tick]);
  useEffect(() => {
    if (drawing !== null) ref.current?.replaceChildren(drawing.svg);
  }, [drawing, ref]);
  return drawing;
}
