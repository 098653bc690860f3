/** The drawing, with hover and drag to zoom; the keyboard does the same, with a live region. */
import { memo, type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { chartSummary, periodAnnouncement } from "../chart/describe";
import type { Drawing, DrawOptions } from "../chart/draw";
import type { Line } from "../chart/lines";
import { afterPaint } from "../hooks/after-paint";
import { usePage } from "../hooks/contexts";
import { useCursor } from "../hooks/use-cursor";
import { Cursor } from "./cursor";
import { Tooltip } from "./tooltip";

interface Props {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly isLevel: boolean;
  readonly isLog: boolean;
  /** Visible charts are drawn first. */
  readonly isVisible: boolean;
}

const HEIGHT = 260;

export const ChartStage = memo(function ChartStage({ title, lines, isLevel, isLog, isVisible }: Props) {
  const { format } = usePage();
  const plot = useRef<HTMLDivElement>(null);
  const width = useWidth(plot);
  const options = { width, height: HEIGHT, isLog, fromZero: !isLevel, short: format.short };
  const drawing = useDrawing(lines, options, isVisible);
  const cursor = useCursor(lines, drawing);
  const { index, anchor, isKeyboard } = cursor;
  const description = useMemo(() => chartSummary(title, lines, format), [title, lines, format]);

  useEffect(() => {
    if (drawing !== null) plot.current?.replaceChildren(drawing.svg);
  }, [drawing]);

  const announcement = isKeyboard && index !== null ? periodAnnouncement(lines, index, format) : "";
  return (
    <div className="stage">
      <div
        className="stage-keys"
        role="application"
        aria-label={`${title}, chart. Use the arrow keys to move between points, Shift and the arrow keys to select a range, and Enter to zoom in.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application handles the arrow keys
        tabIndex={0}
        {...cursor.handlers}
      >
        <div className="stage-plot" ref={plot} aria-hidden="true" />
        {drawing && index !== null && index < drawing.xs.length && (
          <Cursor drawing={drawing} lines={lines} index={index} anchor={anchor} />
        )}
      </div>
      {drawing && index !== null && (
        <Tooltip lines={lines} index={index} x={drawing.xs[index] ?? 0} width={width} />
      )}
      <p className="visually-hidden">{description}</p>
      <p className="visually-hidden" aria-live="polite">
        {announcement}
      </p>
    </div>
  );
});

function useWidth(ref: RefObject<HTMLElement | null>): number {
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

/** Draws once Plot has loaded; Plot loads with the first chart near the viewport. */
function useDrawing(lines: readonly Line[], options: DrawOptions, isVisible: boolean): Drawing | null {
  const [drawing, setDrawing] = useState<Drawing | null>(null);
  const { width, height, isLog, fromZero, short } = options;
  useEffect(() => {
    if (width === 0) return;
    let cancel: (() => void) | null = null;
    let isCurrent = true;
    void import("../chart/draw").then(({ draw }) => {
      if (!isCurrent) return;
      const work = (): void => setDrawing(draw(lines, { width, height, isLog, fromZero, short }));
      cancel = afterPaint(work, isVisible);
    });
    return () => {
      isCurrent = false;
      cancel?.();
    };
    // not isVisible: becoming visible does not change the drawing
  }, [lines, width, height, isLog, fromZero, short]);
  return drawing;
}
