import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import type { Drawing } from "../chart/draw";
import { type Line, longestLine } from "../chart/lines";
import type { DateRange } from "../view/view";

interface CursorState {
  readonly index: number | null;
  /** Where the selected range starts; null without a selection. */
  readonly anchor: number | null;
  readonly isKeyboard: boolean;
}

const MIN_DRAG_PX = 12;
const NO_CURSOR: CursorState = { index: null, anchor: null, isKeyboard: false };

/**
 * Returns the selected period and range of a chart, and the pointer and keyboard handlers that change them.
 *
 * `onZoom` gets the days of a range that the user selects; null where dates have no meaning.
 */
export function useCursor(
  lines: readonly Line[],
  drawing: Drawing | null,
  onZoom: ((range: DateRange) => void) | null,
) {
  const [state, setState] = useState<CursorState>(NO_CURSOR);
  const pressedAt = useRef<number | null>(null);
  const points = longestLine(lines)?.series.points ?? [];
  const last = points.length - 1;
  const index = state.index === null ? null : Math.min(state.index, last);

  function zoom(start: number, end: number): void {
    const [from, to] = [points[Math.min(start, end)], points[Math.max(start, end)]];
    setState(NO_CURSOR);
    if (!from || !to || start === end) return;
    onZoom?.({ from: from.api.period_start, to: to.api.period_end });
  }

  const xOf = (event: PointerEvent<HTMLDivElement>): number =>
    event.clientX - event.currentTarget.getBoundingClientRect().left;

  const point = (event: PointerEvent<HTMLDivElement>): void =>
    setState({ index: nearest(drawing, xOf(event)), anchor: null, isKeyboard: false });

  const handlers = {
    onPointerDown(event: PointerEvent<HTMLDivElement>) {
      if (event.button !== 0) return;
      // touch selects a point and scrolls; it does not select a range
      if (event.pointerType !== "mouse") return point(event);
      pressedAt.current = xOf(event);
      event.currentTarget.setPointerCapture(event.pointerId);
      point(event);
    },
    onPointerMove(event: PointerEvent<HTMLDivElement>) {
      const from = pressedAt.current;
      const isDrag = onZoom !== null && from !== null && Math.abs(xOf(event) - from) >= MIN_DRAG_PX;
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
    onPointerLeave(event: PointerEvent<HTMLDivElement>) {
      if (event.pointerType !== "mouse") return;
      if (pressedAt.current === null && !state.isKeyboard) setState(NO_CURSOR);
    },
    onPointerCancel() {
      pressedAt.current = null;
      setState(NO_CURSOR);
    },
    onBlur: () => setState(NO_CURSOR),
    onKeyDown(event: KeyboardEvent<HTMLDivElement>) {
      const next = keyTarget(event.key, index, last);
      if (event.key === "Escape") setState(NO_CURSOR);
      else if (event.key === "Enter" && state.anchor !== null && index !== null) zoom(state.anchor, index);
      else if (next === null) return;
      else
        setState({
          index: next,
          anchor: event.shiftKey && onZoom !== null ? (state.anchor ?? index ?? next) : null,
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
  drawing.xs.forEach((position, index) => {
    if (Math.abs(position - x) < Math.abs((drawing.xs[best] ?? 0) - x)) best = index;
  });
  return best;
}

const PAGE_STEP = 10;

function keyTarget(key: string, index: number | null, last: number): number | null {
  const here = index ?? last + 1;
  const targets: Readonly<Record<string, number>> = {
    ArrowLeft: here - 1,
    ArrowRight: index === null ? last : here + 1,
    PageUp: here - PAGE_STEP,
    PageDown: here + PAGE_STEP,
    Home: 0,
    End: last,
  };
  const target = targets[key];
  return target === undefined ? null : Math.max(0, Math.min(last, target));
}
