/** The drawing itself: hover, drag to zoom, and the same by keyboard with a live region. */
import { type KeyboardEvent, type PointerEvent, type RefObject, useEffect, useRef, useState } from "react";
import type { Drawing, DrawOptions } from "../chart/draw";
import type { Line } from "../chart/lines";
import { spoken, summary } from "../chart/reading";
import { usePage } from "../hooks/view-context";
import { Tooltip } from "./tooltip";

interface Props {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly isStock: boolean;
}

const HEIGHT = 260;
const MIN_DRAG_PX = 12;

export function ChartStage({ title, lines, isStock }: Props) {
  const { format, view } = usePage();
  const plot = useRef<HTMLDivElement>(null);
  const width = useWidth(plot);
  const drawing = useDrawing(lines, {
    width,
    height: HEIGHT,
    isLog: view.scale === "log",
    fromZero: !isStock,
    short: format.short,
  });
  const cursor = useCursor(lines, drawing);
  const { index, anchor, isKeyboard } = cursor;

  useEffect(() => {
    if (drawing !== null) plot.current?.replaceChildren(drawing.svg);
  }, [drawing]);

  const said = isKeyboard && index !== null ? spoken(lines, index, format) : "";
  return (
    <div className="stage">
      <div
        className="stage-keys"
        role="application"
        aria-label={`${title}, chart. Arrow keys walk its points, Shift and arrows mark a stretch, Enter zooms into it.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes the arrow keys, which walk its points
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
      <p className="vh">{summary(title, lines, format)}</p>
      <p className="vh" aria-live="polite">
        {said}
      </p>
    </div>
  );
}

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

/**
 * Draws when Plot is there: it is fetched with the first chart that comes near the screen.
 *
 * Each chart is drawn in a task of its own, after the paint that answers the reader's press: ten years of twelve
 * charts would otherwise hold up the button.
 */
function useDrawing(lines: readonly Line[], options: DrawOptions): Drawing | null {
  const [drawing, setDrawing] = useState<Drawing | null>(null);
  const { width, height, isLog, fromZero, short } = options;
  useEffect(() => {
    if (width === 0) return;
    let timer = 0;
    let isWanted = true;
    void import("../chart/draw").then(({ draw }) => {
      if (!isWanted) return;
      timer = window.setTimeout(() => setDrawing(draw(lines, { width, height, isLog, fromZero, short })));
    });
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [lines, width, height, isLog, fromZero, short]);
  return drawing;
}

interface CursorState {
  readonly index: number | null;
  /** Where a stretch to zoom into began; null when none is being marked. */
  readonly anchor: number | null;
  readonly isKeyboard: boolean;
}

const NOWHERE: CursorState = { index: null, anchor: null, isKeyboard: false };

function useCursor(lines: readonly Line[], drawing: Drawing | null) {
  const { change, announce, format } = usePage();
  const [state, setState] = useState<CursorState>(NOWHERE);
  const pressedAt = useRef<number | null>(null);
  const points = lines[0]?.series.points ?? [];
  const last = points.length - 1;
  const index = state.index === null ? null : Math.min(state.index, last);

  function zoom(one: number, other: number): void {
    const [from, to] = [points[Math.min(one, other)], points[Math.max(one, other)]];
    setState(NOWHERE);
    if (!from || !to || one === other) return;
    change({ range: { from: from.point.period_start, to: to.point.period_end } });
    announce(`Zoomed to ${format.days(from.point.period_start, to.point.period_end)}. Undo takes it back.`);
  }

  const xOf = (event: PointerEvent<HTMLDivElement>): number =>
    event.clientX - event.currentTarget.getBoundingClientRect().left;

  const handlers = {
    onPointerDown(event: PointerEvent<HTMLDivElement>) {
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      pressedAt.current = xOf(event);
      event.currentTarget.setPointerCapture(event.pointerId);
      setState({ index: nearest(drawing, xOf(event)), anchor: null, isKeyboard: false });
    },
    onPointerMove(event: PointerEvent<HTMLDivElement>) {
      const from = pressedAt.current;
      const isDrag = from !== null && Math.abs(xOf(event) - from) >= MIN_DRAG_PX;
      setState({
        index: nearest(drawing, xOf(event)),
        anchor: isDrag ? nearest(drawing, from) : null,
        isKeyboard: false,
      });
    },
    onPointerUp() {
      pressedAt.current = null;
      if (state.anchor !== null && index !== null) zoom(state.anchor, index);
    },
    onPointerLeave() {
      if (pressedAt.current === null && !state.isKeyboard) setState(NOWHERE);
    },
    onPointerCancel() {
      pressedAt.current = null;
      setState(NOWHERE);
    },
    onBlur: () => setState(NOWHERE),
    onKeyDown(event: KeyboardEvent<HTMLDivElement>) {
      const next = keyTarget(event.key, index, last);
      if (event.key === "Escape") setState(NOWHERE);
      else if (event.key === "Enter" && state.anchor !== null && index !== null) zoom(state.anchor, index);
      else if (next === null) return;
      else
        setState({
          index: next,
          anchor: event.shiftKey ? (state.anchor ?? index ?? next) : null,
          isKeyboard: true,
        });
      event.preventDefault();
    },
  };
  return { ...state, index, handlers };
}

function nearest(drawing: Drawing | null, x: number): number | null {
  if (drawing === null || drawing.xs.length === 0) return null;
  let best = 0;
  drawing.xs.forEach((at, index) => {
    if (Math.abs(at - x) < Math.abs((drawing.xs[best] ?? 0) - x)) best = index;
  });
  return best;
}

const PAGE = 10;

function keyTarget(key: string, index: number | null, last: number): number | null {
  const here = index ?? last + 1;
  const targets: Readonly<Record<string, number>> = {
    ArrowLeft: here - 1,
    ArrowRight: index === null ? last : here + 1,
    PageUp: here - PAGE,
    PageDown: here + PAGE,
    Home: 0,
    End: last,
  };
  const target = targets[key];
  return target === undefined ? null : Math.max(0, Math.min(last, target));
}

interface CursorProps {
  readonly drawing: Drawing;
  readonly lines: readonly Line[];
  readonly index: number;
  readonly anchor: number | null;
}

/** A line at the period under the pointer, a ring on each of its points, and the stretch that is being marked. */
function Cursor({ drawing, lines, index, anchor }: CursorProps) {
  const x = drawing.xs[index] ?? 0;
  const from = anchor === null ? x : (drawing.xs[anchor] ?? 0);
  return (
    <svg className="cursor" aria-hidden="true">
      {anchor !== null && (
        <rect
          className="cursor-stretch"
          x={Math.min(x, from)}
          y={drawing.top}
          width={Math.abs(x - from)}
          height={drawing.bottom - drawing.top}
        />
      )}
      <line className="cursor-line" x1={x} x2={x} y1={drawing.top} y2={drawing.bottom} />
      {lines.map((line) => {
        const shown = line.series.points[index]?.shown;
        return shown == null ? null : (
          <circle
            key={line.id}
            className={`cursor-point stroke-${line.colour}`}
            cx={x}
            cy={drawing.y(shown)}
            r="5"
          />
        );
      })}
    </svg>
  );
}
