/** The lines of a small chart from zero, in a box of 100 by 100; a week without a value stays open. */

export interface Sparkline {
  /** Path of the complete weeks. */
  readonly measured: string;
  /** Path of the weeks with an estimate. */
  readonly estimated: string;
  /** Position of the last complete week; null without one. */
  readonly last: { readonly x: number; readonly y: number } | null;
}

type Values = readonly (number | null)[];

/** Returns the sparkline of a year of weeks and of the estimates of the same weeks. */
export function sparkline(values: Values, estimates: Values): Sparkline {
  const known = [...values, ...estimates].filter((value) => value !== null);
  const highest = Math.max(1, ...known);
  const x = (at: number): number => round((at / Math.max(1, values.length - 1)) * 100);
  const y = (value: number): number => round(100 - (value / highest) * 100);
  const at = values.findLastIndex((value) => value !== null);
  const value = values[at];
  return {
    measured: path(values, x, y),
    estimated: path(estimates, x, y),
    last: value == null ? null : { x: x(at), y: y(value) },
  };
}

function path(values: Values, x: (at: number) => number, y: (value: number) => number): string {
  const parts = values.map((value, at) => {
    if (value === null) return "";
    const isFirst = at === 0 || values[at - 1] === null;
    // a week between two gaps is a line of no length, which a round cap makes a point
    const isAlone = isFirst && (values[at + 1] ?? null) === null;
    return `${isFirst ? "M" : "L"}${x(at)} ${y(value)}${isAlone ? "h0" : ""}`;
  });
  return parts.join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
