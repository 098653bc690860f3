/** Formats numbers, dates and weeks in the browser's locale, or dates in ISO 8601. Days are in UTC. */
import type { Change, Point } from "../api/types";

export interface Formats {
  readonly count: (value: number) => string;
  readonly short: (value: number) => string;
  /** With three significant digits, such as `16.9M`. */
  readonly figure: (value: number) => string;
  /** A signed count, such as `+192` or `−5`. */
  readonly signedCount: (value: number) => string;
  /** A share, always with one decimal, as the API's sentences, the report and the digests write it: `61.0%`. */
  readonly percent: (fraction: number) => string;
  /** As short as a table needs it: `+5.2%`, and from ten per cent on `+64%`. */
  readonly change: (change: Change) => string;
  /** The size of a change without its sign, with the digits of `change`: `5.2%`, `64%`. */
  readonly changeSize: (fraction: number) => string;
  /** As the API's sentences write it, for what is beside one: `+64.5%`. */
  readonly exactChange: (change: Change) => string;
  readonly day: (day: string) => string;
  readonly days: (from: string, to: string) => string;
  readonly instant: (at: string) => string;
  /** For example `Week 47, 16 – 22 Nov 2026`, or `2026-W47`. */
  readonly period: (point: Point) => string;
  readonly periodShort: (point: Point) => string;
  /** The text of a date on an axis: `14 Sept`, `Sept` or `2026`. */
  readonly tick: (at: Date, unit: "day" | "month" | "year") => string;
  /** For example `week 47`, or `2026-W47`. */
  readonly week: (label: string) => string;
  /** Time since an instant, such as `2 hours ago`; precise to the minute. */
  readonly age: (at: string | number, now: number) => string;
  /** UTC days since a day, such as `yesterday`; `community-metrics report` counts the same. */
  readonly dayAge: (day: string, now: number) => string;
}

const UTC = { timeZone: "UTC" } as const;
const DAY: Intl.DateTimeFormatOptions = { ...UTC, day: "numeric", month: "short", year: "numeric" };
const INSTANT: Intl.DateTimeFormatOptions = { ...DAY, hour: "2-digit", minute: "2-digit" };
/** From this fraction on a change is shown in bold, and without decimals. */
export const LOUD = 0.1;
/** Below this fraction a change is quiet: it has no colour. */
const QUIET = 0.01;
/** From this fraction on a change is the first that one sees. */
export const HUGE = 0.5;
/** Always with a decimal, as in the API's sentences, so that the numbers of a column align. */
const PERCENT = { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 } as const;
const WHOLE = { style: "percent", maximumFractionDigits: 0 } as const;
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
  const figure = lazy(
    () => new Intl.NumberFormat(locale, { notation: "compact", maximumSignificantDigits: 3 }),
  );
  const signedCount = lazy(() => new Intl.NumberFormat(locale, { signDisplay: "always" }));
  const whole = lazy(() => new Intl.NumberFormat(locale, WHOLE));
  const rounded = lazy(() => new Intl.NumberFormat(locale, { ...WHOLE, signDisplay: "exceptZero" }));
  const signed = lazy(() => new Intl.NumberFormat(locale, { ...PERCENT, signDisplay: "exceptZero" }));
  const day = lazy(() => new Intl.DateTimeFormat(locale, DAY));
  const month = lazy(() => new Intl.DateTimeFormat(locale, { ...UTC, month: "long", year: "numeric" }));
  const instant = lazy(() => new Intl.DateTimeFormat(locale, INSTANT));
  const relative = lazy(() => new Intl.RelativeTimeFormat(locale, { numeric: "auto" }));
  const ticks = {
    day: lazy(() => new Intl.DateTimeFormat(locale, { ...UTC, day: "numeric", month: "short" })),
    month: lazy(() => new Intl.DateTimeFormat(locale, { ...UTC, month: "short" })),
    year: lazy(() => new Intl.DateTimeFormat(locale, { ...UTC, year: "numeric" })),
  };
  const days = (from: string, to: string): string =>
    iso ? `${from}/${to}` : day().formatRange(new Date(from), new Date(to));
  const dayText = (isoDay: string): string => (iso ? isoDay : day().format(new Date(isoDay)));

  function periodShort(point: Point): string {
    if ("day" in point) return dayText(point.day);
    if ("month" in point) return iso ? point.month : month().format(new Date(`${point.month}-01`));
    return iso ? point.week : `Week ${Number(point.week.slice(-2))}`;
  }

  return {
    count: (value) => withMinus(count().format(Math.round(value * 10) / 10)),
    short: (value) => withMinus(short().format(value)),
    percent: (fraction) => withMinus(percent().format(fraction)),
    change: ({ fraction }) => withMinus((Math.abs(fraction) < LOUD ? signed() : rounded()).format(fraction)),
    changeSize: (fraction) => (fraction < LOUD ? percent() : whole()).format(fraction),
    exactChange: ({ fraction }) => withMinus(signed().format(fraction)),
    figure: (value) => withMinus(figure().format(value)),
    signedCount: (value) => withMinus(signedCount().format(value)),
    tick: (at, unit) => (iso ? isoTick(at, unit) : ticks[unit]().format(at)),
    week: (label) => (iso ? label : `week ${Number(label.slice(-2))}`),
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

/** Returns the colour that a change has. */
export function changeTone({ fraction }: Change): "up" | "down" | "quiet" {
  if (Math.abs(fraction) < QUIET) return "quiet";
  return fraction > 0 ? "up" : "down";
}

/** Returns a formatted number with the minus sign U+2212, which is as wide as a plus. */
function withMinus(text: string): string {
  return text.replace("-", "\u2212");
}

function isoTick(at: Date, unit: "day" | "month" | "year"): string {
  const day = at.toISOString().slice(0, 10);
  return { day: day.slice(5), month: day.slice(5, 7), year: day.slice(0, 4) }[unit];
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
