/** Names at the ends of lines, moved apart where they would lie on each other. */
import { element } from "./hatch";
import type { Line } from "./lines";

interface Room {
  readonly x: number;
  readonly y: (value: number) => number;
  readonly top: number;
  readonly bottom: number;
}

const LINE_HEIGHT = 14;
const MOST = 8;
const MAX_LENGTH = 13;

/** Writes the name of each line beside its last value, where there are several and not too many. */
export function addLabels(svg: SVGSVGElement, lines: readonly Line[], room: Room): void {
  if (lines.length > MOST || lines.length === 1) return;
  const ends = lines.flatMap((line) => {
    const last = line.series.points.findLast(
      (one) => one.shown !== null && one.kind !== "running" && one.kind !== "incomplete",
    );
    return last?.shown == null ? [] : [{ line, y: room.y(last.shown) }];
  });
  const placed = spread(
    ends.map((end) => end.y),
    LINE_HEIGHT,
    room.top,
    room.bottom,
  );
  ends.forEach(({ line }, index) => {
    const text = element("text", {
      x: String(room.x),
      y: String(placed[index] ?? 0),
      dy: "0.32em",
      "text-anchor": "start",
      fill: `var(--series-${line.colour})`,
      "font-size": "11",
      "font-weight": "600",
    });
    text.textContent = shortened(line.name);
    svg.append(text);
  });
}

/** Leaves out what stands in brackets, since the legend tells it, and ends what is too long with an ellipsis. */
export function shortened(name: string): string {
  const bare = name.replace(/\s*\(.*\)$/, "");
  return bare.length > MAX_LENGTH ? `${bare.slice(0, MAX_LENGTH - 1)}…` : bare;
}

/** Returns places as near as may be to those wanted, `gap` apart, between `low` and `high`, in the order given. */
export function spread(wanted: readonly number[], gap: number, low: number, high: number): readonly number[] {
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
