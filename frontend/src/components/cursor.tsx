import type { Drawing } from "../chart/draw";
import type { Line } from "../chart/lines";

interface Props {
  readonly drawing: Drawing;
  readonly lines: readonly Line[];
  readonly index: number;
  readonly anchor: number | null;
}

/** A line at the period under the pointer, a ring on each of its points, and the stretch that is being marked. */
export function Cursor({ drawing, lines, index, anchor }: Props) {
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
        const shown = line.series.points[index]?.displayValue;
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
