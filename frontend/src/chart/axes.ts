/** The axes: horizontal lines with their values, and dates with a year below the first of each. */
import { svgElement } from "./hatch";
import { type Area, type XScale, type YScale, yTicks } from "./scales";

interface AxisOptions {
  readonly isSmall: boolean;
  readonly isAligned: boolean;
  readonly short: (value: number) => string;
  readonly tick: (at: Date, unit: "day" | "month" | "year") => string;
}

const DAY_MS = 86_400_000;
/** Space that the text of a tick needs. */
const TICK_PX = 92;
const SMALL_TICK_PX = 76;
const MIN_TICKS = 2;

/** Returns the elements of both axes. */
export function axes(
  area: Area,
  { x, y }: { readonly x: XScale; readonly y: YScale },
  options: AxisOptions,
): readonly SVGElement[] {
  return [yAxis(area, y, options), xAxis(area, x, options)];
}

function yAxis(area: Area, y: YScale, { short }: AxisOptions): SVGElement {
  const group = svgElement("g", { class: "axis-y" });
  for (const value of yTicks(y)) {
    const at = String(y(value));
    group.append(
      svgElement("line", {
        x1: String(area.left),
        x2: String(area.right),
        y1: at,
        y2: at,
        stroke: "var(--grid)",
      }),
      text(short(value), { x: String(area.left - 7), y: at, dy: "0.32em", "text-anchor": "end" }),
    );
  }
  return group;
}

function xAxis(area: Area, x: XScale, options: AxisOptions): SVGElement {
  const group = svgElement("g", { class: "axis-x" });
  const count = Math.max(
    MIN_TICKS,
    Math.floor((area.right - area.left) / (options.isSmall ? SMALL_TICK_PX : TICK_PX)),
  );
  const ticks = x.ticks(count);
  const labels = options.isAligned ? ticks.map(String) : dateLabels(ticks as Date[], options);
  ticks.forEach((value, index) => {
    const at = String(x(value));
    const [label = "", year = ""] = (labels[index] ?? "").split("\n");
    group.append(
      svgElement("line", {
        ...{ x1: at, x2: at, y1: String(area.bottom), y2: String(area.bottom + 4) },
        stroke: "var(--muted)",
      }),
      text(label, { x: at, y: String(area.bottom + 16), "text-anchor": "middle" }),
      ...(year === "" ? [] : [text(year, { x: at, y: String(area.bottom + 29), "text-anchor": "middle" })]),
    );
  });
  return group;
}

/** Returns the label of each tick; the first one and the first of a year have the year in a second line. */
function dateLabels(ticks: readonly Date[], { tick }: AxisOptions): readonly string[] {
  const step = ticks.length > 1 ? (Number(ticks[1]) - Number(ticks[0])) / DAY_MS : 0;
  if (step > 300) return ticks.map((at) => tick(at, "year"));
  const unit = step >= 27 ? "month" : "day";
  return ticks.map((at, index) => {
    const isFirstOfYear = ticks[index - 1]?.getUTCFullYear() !== at.getUTCFullYear();
    return isFirstOfYear ? `${tick(at, unit)}\n${tick(at, "year")}` : tick(at, unit);
  });
}

function text(content: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const element = svgElement("text", { fill: "var(--muted)", ...attributes });
  element.textContent = content;
  return element;
}
