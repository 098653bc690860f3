import type { Drawing } from "../chart/draw";
import type { Line } from "../chart/lines";

interface Props {
  readonly drawing: Drawing;
  readonly lines: readonly Line[];
  readonly index: number;
  readonly anchor: number | null;
}

/** A line at the selected period, a ring on each of its points, and the selected range. */
export function Cursor({ drawing, lines, index, anchor }: Props) {
  const x = drawing.xs[index] ?? 0;
  const from = anchor === null ? x : (drawing.xs[anchor] ?? 0);
  return (
    <svg className="cursor" aria-hidden="true">
      {anchor !== null && (
        <rect
          className="cursor-range"
          x={Math.min(x, from)}
          y={drawing.top}
          width={Math.abs(x - from)}
          height={drawing.bottom - drawing.top}
        />
      )}
      <line className="cursor-line" x1={x} x2={x} y1={drawing.top} y2={drawing.bottom} />
      {lines.map((line) => {
        const value = line.series.points[index]?.displayValue;
        return value == null ? null : (
          <circle
            key={line.id}
            className={`cursor-point ${line.isWatched ? "stroke-watched" : `stroke-${line.colour}`}`}
            cx={x}
            cy={drawing.y(value)}
            r="5"
          />
        );
      })}
    </svg>
  );
}
