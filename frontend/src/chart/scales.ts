/** The scales of a chart: time or number of the period to x, value to y. */
import {
  type ScaleLinear,
  type ScaleLogarithmic,
  type ScaleTime,
  scaleLinear,
  scaleLog,
  scaleUtc,
} from "d3-scale";
import type { ChartPoint } from "../data/chart-data";
import { type Line, periodEnd } from "./lines";

/** The rectangle of the lines within a drawing, in pixels. */
export interface Area {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** Returns where a point is; `index` is its position in its series. */
export type Position = (point: ChartPoint, index: number) => number;
export type XScale = ScaleTime<number, number> | ScaleLinear<number, number>;
export type YScale = ScaleLinear<number, number> | ScaleLogarithmic<number, number>;

interface Scales {
  readonly x: XScale;
  readonly y: YScale;
  readonly xOfDay: (at: Date) => number;
}

interface ScaleOptions {
  readonly isLog: boolean;
  readonly fromZero: boolean;
  readonly isAligned: boolean;
}

/** Ticks that the y axis should have; D3 returns about as many. */
export const Y_TICKS = 4;
/** Space above and below a logarithmic line, as a factor. */
const LOG_SPACE = 1.15;

/** Returns the scales of these lines in an area. */
export function scales(lines: readonly Line[], area: Area, options: ScaleOptions): Scales {
  const range = [area.left, area.right] as const;
  const points = lines.find((line) => line.series.points.length > 0)?.series.points ?? [];
  const [first, last] = [points[0], points.at(-1)];
  const time = scaleUtc(
    first && last ? [new Date(first.api.period_start), periodEnd(last.api)] : [new Date(0), new Date(1)],
    range,
  );
  const longest = Math.max(1, ...lines.map((line) => line.series.points.length));
  const x = options.isAligned ? scaleLinear([0, longest], range) : time;
  return { x, y: yScale(valuesOf(lines), area, options), xOfDay: (at) => time(at) };
}

function valuesOf(lines: readonly Line[]): readonly number[] {
  return lines.flatMap(({ series }) =>
    [...series.points, ...series.yearBefore].flatMap((point) => point?.displayValue ?? []),
  );
}

function yScale(values: readonly number[], area: Area, { isLog, fromZero }: ScaleOptions): YScale {
  const range = [area.bottom, area.top] as const;
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), 0);
  if (isLog && high > 0) return scaleLog([low / LOG_SPACE, high * LOG_SPACE], range);
  const from = fromZero || !Number.isFinite(low) ? 0 : low;
  // a flat line has room on both sides, and a chart without a value has an axis
  const space = from === high ? Math.max(1, Math.abs(high) * 0.1) : 0;
  return scaleLinear([fromZero ? 0 : from - space, high + space], range).nice(Y_TICKS);
}

/** Returns the values at which the y axis has a line: few, and round. */
export function yTicks(y: YScale): readonly number[] {
  if (!("base" in y)) return y.ticks(Y_TICKS);
  const all = y.ticks();
  const leading = (value: number): number => Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
  const powers = all.filter((value) => leading(value) === 1);
  if (powers.length > 2) return powers;
  const few = all.filter((value) => [1, 2, 5].includes(leading(value)));
  return few.length > 1 ? few : all.filter((_, index) => index % Math.ceil(all.length / Y_TICKS) === 0);
}
