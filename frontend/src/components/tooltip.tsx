import { disputeNotes, periodEvents, periodTitle, pointNotes, valueText } from "../chart/describe";
import type { Line } from "../chart/lines";
import { type ChartEvent, eventText } from "../data/events";
import { usePage } from "../hooks/contexts";
import { SeriesMark } from "./swatch";

interface Props {
  readonly lines: readonly Line[];
  readonly events: readonly ChartEvent[];
  readonly index: number;
  readonly x: number;
  readonly width: number;
  readonly isAligned: boolean;
}

/** Events that a tooltip names; the flag has all. */
const MOST_EVENTS = 4;

/** The value of every series for one period, with its completeness and provenance. Escape closes it. */
export function Tooltip({ lines, events, index, x, width, isAligned }: Props) {
  const { format } = usePage();
  const title = periodTitle(lines, index, { format, isAligned });
  if (title === null) return null;
  const happened = isAligned ? [] : periodEvents(lines, index, events);
  const position = x > width / 2 ? { right: `${width - x + 14}px` } : { left: `${x + 14}px` };
  return (
    <div className="tooltip" style={position} aria-hidden="true">
      <p className="tooltip-title">{title}</p>
      <ul>
        {lines.map((line) => {
          const point = line.series.points[index];
          const before = line.series.yearBefore[index];
          const notes = [
            ...(before ? [`a year before ${valueText(before, format)}`] : []),
            ...(isAligned && point ? [format.period(point.api)] : []),
            ...(point ? pointNotes(point, line.series.metric.value_kind === "flow", format) : []),
            ...(point ? disputeNotes(point, line.series.metric.disputes, format) : []),
          ];
          return (
            <li key={line.id}>
              <span className="tooltip-row">
                <SeriesMark colour={line.colour} symbol={line.symbol} isWatched={line.isWatched} />
                <span>{line.name}</span>
                <strong>{valueText(point, format)}</strong>
              </span>
              {notes.length > 0 && <span className="tooltip-notes">{notes.join(" · ")}</span>}
            </li>
          );
        })}
      </ul>
      {happened.length > 0 && (
        <ul className="tooltip-events">
          {happened.slice(0, MOST_EVENTS).map((event) => (
            <li key={event.id}>{eventText(event)}</li>
          ))}
          {happened.length > MOST_EVENTS && <li>{happened.length - MOST_EVENTS} more below the chart</li>}
        </ul>
      )}
    </div>
  );
}
