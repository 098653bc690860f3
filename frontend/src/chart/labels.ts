/** Labels at the ends of lines, moved apart so that they do not overlap. */
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

/** Adds a label beside the last value of each line, if there are two to eight lines. */
export function addLabels(svg: SVGSVGElement, lines: readonly Line[], area: LabelArea): void {
  if (lines.length > MAX_LABELS || lines.length === 1) return;
  const ends = lines.flatMap((line) => {
    const last = line.series.points.findLast(
      (point) => point.displayValue !== null && point.kind !== "running" && point.kind !== "incomplete",
    );
    return last?.displayValue == null ? [] : [{ line, y: area.y(last.displayValue) }];
  });
  const placed = spreadLabels(
    ends.map((end) => end.y),
    LINE_HEIGHT,
    area.top,
    area.bottom,
  );
  ends.forEach(({ line }, index) => {
    const text = svgElement("text", {
      x: String(area.x),
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

/** Returns a name without its parentheses, which the legend has, and truncated with an ellipsis. */
export function shortLabel(name: string): string {
  const base = name.replace(/\s*\(.*\)$/, "");
  return base.length > MAX_LENGTH ? `${base.slice(0, MAX_LENGTH - 1)}…` : base;
}

/** Returns positions close to `targets`, at least `gap` apart and between `low` and `high`. */
export function spreadLabels(
  targets: readonly number[],
  gap: number,
  low: number,
  high: number,
): readonly number[] {
  const order = targets.map((_, index) => index).sort((a, b) => (targets[a] ?? 0) - (targets[b] ?? 0));
  const placed: number[] = [...targets];
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
