/** The drawing, with hover and drag to zoom; the keyboard does the same, with a live region. */
import { memo, useMemo, useRef } from "react";
import { chartSummary, periodAnnouncement } from "../chart/describe";
import type { Line } from "../chart/lines";
import type { ChartEvent } from "../data/events";
import { usePage } from "../hooks/contexts";
import { useCursor } from "../hooks/use-cursor";
import { useDrawing, useWidth } from "../hooks/use-drawing";
import type { DateRange } from "../view/view";
import { Cursor } from "./cursor";
import { EventFlags } from "./event-flags";
import { Tooltip } from "./tooltip";

interface Props {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly events: readonly ChartEvent[];
  readonly isLevel: boolean;
  readonly isLog: boolean;
  readonly isAligned: boolean;
  readonly isLarge: boolean;
  /** Visible charts are drawn first. */
  readonly isVisible: boolean;
  readonly onZoom: (range: DateRange) => void;
}

const HEIGHT = 260;
const LARGE_HEIGHT = 340;

export const ChartStage = memo(function ChartStage({
  title,
  lines,
  events,
  isLevel,
  isLog,
  isAligned,
  isLarge,
  isVisible,
  onZoom,
}: Props) {
  const { format } = usePage();
  const plot = useRef<HTMLDivElement>(null);
  const width = useWidth(plot);
  const height = isLarge ? LARGE_HEIGHT : HEIGHT;
  const { short, tick } = format;
  const options = { width, height, isLog, fromZero: !isLevel, isSmall: false, isAligned, short, tick };
  const drawing = useDrawing(plot, lines, options, isVisible);
  const cursor = useCursor(lines, drawing, isAligned ? null : onZoom);
  const { index, anchor, isKeyboard } = cursor;
  const description = useMemo(
    () => chartSummary(title, lines, events, format),
    [title, lines, events, format],
  );
  const announcement =
    isKeyboard && index !== null ? periodAnnouncement(lines, index, { events, format, isAligned }) : "";
  const zoomHelp = isAligned ? "" : ", Shift and the arrow keys to select a range, and Enter to zoom in";
  return (
    <div className={isLarge ? "stage is-large" : "stage"}>
      <div
        className="stage-keys"
        role="application"
        aria-label={`${title}, chart. Use the arrow keys to move between points${zoomHelp}.`}
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
        <Tooltip
          lines={lines}
          events={events}
          index={index}
          x={drawing.xs[index] ?? 0}
          width={width}
          isAligned={isAligned}
        />
      )}
      {drawing?.xOfDay && events.length > 0 && (
        <EventFlags title={title} events={events} drawing={drawing} xOfDay={drawing.xOfDay} lines={lines} />
      )}
      <p className="visually-hidden">{description}</p>
      <p className="visually-hidden" aria-live="polite">
        {announcement}
      </p>
    </div>
  );
});
