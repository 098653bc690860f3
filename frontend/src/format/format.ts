/** Formats numbers, dates and weeks in the browser's locale, or dates in ISO 8601. Days are in UTC. */
import type { Change, Point } from "../api/types";

export interface Formats {
  readonly count: (value: number) => string;
  readonly short: (value: number) => string;
  readonly percent: (fraction: number) => string;
  readonly change: (change: Change) => string;
  readonly day: (day: string) => string;
  readonly days: (from: string, to: string) => string;
  readonly instant: (at: string) => string;
  /** For example `Week 47, 16 – 22 Nov 2026`, or `2026-W47`. */
  readonly period: (point: Point) => string;
  readonly periodShort: (point: Point) => string;
  /** Time since an instant, such as `2 hours ago`; precise to the minute. */
  readonly age: (at: string | number, now: number) => string;
  /** UTC days since a day, such as `yesterday`; `community-metrics report` counts the same. */
  readonly dayAge: (day: string, now: number) => string;
}

const UTC = { timeZone: "UTC" } as const;
const DAY: Intl.DateTimeFormatOptions = { ...UTC, day: "numeric", month: "short", year: "numeric" };
const INSTANT: Intl.DateTimeFormatOptions = { ...DAY, hour: "2-digit", minute: "2-digit" };
const PERCENT = { style: "percent", maximumFractionDigits: 1 } as const;
const AGES: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** Returns the formats of a locale; `undefined` is the browser's. */
export function createFormats(locale: string | undefined, iso: boolean): Formats {
  // created on first use: each takes milliseconds on a phone, and the first view needs few
  const count = lazy(() => new Intl.NumberFormat(locale));
  const short = lazy(() => new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 }));
  const percent = lazy(() => new Intl.NumberFormat(locale, PERCENT));
  const signed = lazy(() => new Intl.NumberFormat(locale, { ...PERCENT, signDisplay: "exceptZero" }));
  const day = lazy(() => new Intl.DateTimeFormat(locale, DAY));
  const month = lazy(() => new Intl.DateTimeFormat(locale, { ...UTC, month: "long", year: "numeric" }));
  const instant = lazy(() => new Intl.DateTimeFormat(locale, INSTANT));
  const relative = lazy(() => new Intl.RelativeTimeFormat(locale, { numeric: "auto" }));
  const days = (from: string, to: string): string =>
    iso ? `${from}/${to}` : day().formatRange(new Date(from), new Date(to));
  const dayText = (isoDay: string): string => (iso ? isoDay : day().format(new Date(isoDay)));

  function periodShort(point: Point): string {
    if ("day" in point) return dayText(point.day);
    if ("month" in point) return iso ? point.month : month().format(new Date(`${point.month}-01`));
    return iso ? point.week : `Week ${Number(point.week.slice(-2))}`;
  }

  return {
    count: (value) => count().format(Math.round(value * 10) / 10),
    short: (value) => short().format(value),
    percent: (fraction) => percent().format(fraction),
    change: (change) => signed().format(change.fraction),
    day: dayText,
    days,
    instant: (at) => (iso ? at : `${instant().format(new Date(at))} UTC`),
    period: (point) =>
      "week" in point && !iso
        ? `${periodShort(point)}, ${days(point.period_start, point.period_end)}`
        : periodShort(point),
    periodShort,
    age: (at, now) => ageText(relative(), (new Date(at).getTime() - now) / 1_000),
    dayAge: (text, now) => relative().format(dayNumber(Date.parse(text)) - dayNumber(now), "day"),
  };
}

function dayNumber(ms: number): number {
  return Math.floor(ms / 86_400_000);
}

function ageText(relative: Intl.RelativeTimeFormat, seconds: number): string {
  const [unit, size] = AGES.find(([, length]) => Math.abs(seconds) >= length) ?? ["minute", 60];
  return relative.format(Math.trunc(seconds / size), unit);
}

function lazy<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= make();
    return value;
  };
}
