/** Names at the ends of lines, moved apart where they would lie on each other. */
import { svgElement } from "./hatch";
import type { Line } from "./lines";

interface LabelArea {
  readonly x: number;
  readonly y: (value: number) => number;
  readonly top: number;
  readonly bottom: number;
}

const LINE_HEIGHT = 14;
const MAX_LABELS = 8;
const MAX_LENGTH = 13;

/** Writes the name of each line beside its last value, where there are several and not too many. */
export function addLabels(svg: SVGSVGElement, lines: readonly Line[], room: LabelArea): void {
  if (lines.length > MAX_LABELS || lines.length === 1) return;
  const ends = lines.flatMap((line) => {
    const last = line.series.points.findLast(
      (point) => point.displayValue !== null && point.kind !== "running" && point.kind !== "incomplete",
    );
    return last?.displayValue == null ? [] : [{ line, y: room.y(last.displayValue) }];
  });
  const placed = spreadLabels(
    ends.map((end) => end.y),
    LINE_HEIGHT,
    room.top,
    room.bottom,
  );
  ends.forEach(({ line }, index) => {
    const text = svgElement("text", {
      x: String(room.x),
      y: String(placed[index] ?? 0),
      dy: "0.32em",
      "text-anchor": "start",
      fill: `var(--series-${line.colour})`,
      "font-size": "11",
      "font-weight": "600",
    });
    text.textContent = shortLabel(line.name);
    svg.append(text);
  });
}

/** Leaves out what stands in brackets, since the legend tells it, and ends what is too long with an ellipsis. */
export function shortLabel(name: string): string {
  const bare = name.replace(/\s*\(.*\)$/, "");
  return bare.length > MAX_LENGTH ? `${bare.slice(0, MAX_LENGTH - 1)}…` : bare;
}

/** Returns places as near as may be to those wanted, `gap` apart, between `low` and `high`, in the order given. */
export function spreadLabels(
  wanted: readonly number[],
  gap: number,
  low: number,
  high: number,
): readonly number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const placed: number[] = [...wanted];
  let floor = low;
  for (const index of order) {
    placed[index] = Math.max(placed[index] ?? 0, floor);
    floor = (placed[index] ?? 0) + gap;
  }
  let ceiling = high;
  for (const index of order.reverse()) {
    placed[index] = Math.min(placed[index] ?? 0, ceiling);
    ceiling = (placed[index] ?? 0) - gap;
  }
  return placed;
}
