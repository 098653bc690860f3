import { pointNotes, valueText } from "../chart/describe";
import type { Line } from "../chart/lines";
import { usePage } from "../hooks/contexts";
import { SeriesMark } from "./swatch";

interface Props {
  readonly lines: readonly Line[];
  readonly index: number;
  readonly x: number;
  readonly width: number;
}

/** The value of every series for one period, with its completeness and provenance. Escape closes it. */
export function Tooltip({ lines, index, x, width }: Props) {
  const { format } = usePage();
  const first = lines[0]?.series.points[index];
  if (first === undefined) return null;
  const position = x > width / 2 ? { right: `${width - x + 14}px` } : { left: `${x + 14}px` };
  return (
    <div className="tooltip" style={position} aria-hidden="true">
      <p className="tooltip-title">{format.period(first.api)}</p>
      <ul>
        {lines.map((line) => {
          const point = line.series.points[index];
          const notes = point ? pointNotes(point, line.series.metric.value_kind === "flow", format) : [];
          return (
            <li key={line.id}>
              <span className="tooltip-row">
                <SeriesMark colour={line.colour} symbol={line.symbol} />
                <span>{line.name}</span>
                <strong>{valueText(point, format)}</strong>
              </span>
              {notes.length > 0 && <span className="tooltip-notes">{notes.join(" · ")}</span>}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
