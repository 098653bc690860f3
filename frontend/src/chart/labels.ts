/** Labels at the ends of lines, moved apart so that they do not overlap. */
import { svgElement } from "./hatch";
import { type Line, lineColour } from "./lines";

interface LabelArea {
  readonly x: number;
  readonly y: (value: number) => number;
  readonly top: number;
  readonly bottom: number;
  readonly isWide: boolean;
}

const LINE_HEIGHT = 14;
const MAX_LABELS = 8;
const MAX_LENGTH = 13;
const MAX_LENGTH_WIDE = 22;
const CHARACTER_PX = 6.6;

/** Returns the width that the names need; on a wide chart they may be longer. */
export function labelWidth(lines: readonly Line[], isWide: boolean): number {
  if (lines.length > MAX_LABELS) return 14;
  const longest = Math.max(...lines.map((line) => shortLabel(line.name, isWide).length));
  return 16 + Math.ceil(longest * CHARACTER_PX);
}

/** Adds a label beside the last value of each line, if there are two to eight lines. */
export function addLabels(svg: SVGSVGElement, lines: readonly Line[], area: LabelArea): void {
  if (lines.length > MAX_LABELS || lines.length === 1) return;
  const ends = lines.flatMap((line) => {
    const last = line.series.points.findLast(
      (point) => point.displayValue !== null && point.kind !== "running" && point.kind !== "incomplete",
    );
    return last?.displayValue == null ? [] : [{ line, y: area.y(last.average ?? last.displayValue) }];
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
      fill: lineColour(line),
      "font-size": "11",
      "font-weight": "600",
    });
    text.textContent = shortLabel(line.name, area.isWide);
    svg.append(text);
  });
}

/** Returns a name without its parentheses, which the legend has, and truncated with an ellipsis. */
export function shortLabel(name: string, isWide = false): string {
  const base = name.replace(/\s*\(.*\)$/, "");
  const most = isWide ? MAX_LENGTH_WIDE : MAX_LENGTH;
  return base.length > most ? `${base.slice(0, most - 1)}…` : base;
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
