import { addDays } from "./chart-data";

export interface DayRange {
  readonly first: string;
  readonly last: string;
}

/** Returns days, which are in order, as ranges of adjoining ones. */
export function dayRanges(days: readonly string[]): readonly DayRange[] {
  const ranges: DayRange[] = [];
  for (const day of days) {
    const before = ranges.at(-1);
    if (before && addDays(before.last, 1) === day) ranges[ranges.length - 1] = { ...before, last: day };
    else ranges.push({ first: day, last: day });
  }
  return ranges;
}
