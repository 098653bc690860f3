/** The sentence that answers "how are we doing?", in parts, so that the page, a text and a slide say the same. */
import type { Change, Overview, StarsOfWeek } from "../api/types";
import type { Formats } from "../format/format";
import { addDays, YEAR } from "./chart-data";

export interface Part {
  readonly text: string;
  /** The change that the text states, which has a colour by its direction. */
  readonly change?: Change;
}

/** Returns the headline's parts; joined, they are its sentence. */
export function headlineParts(overview: Overview, format: Formats): readonly Part[] {
  const { headline } = overview;
  if (headline?.numbers.type !== "headline") return [{ text: withoutTotal(overview, format) }];
  const { total, change, year_on_year: year } = headline.numbers;
  const when = overview.next === null ? "last week" : `in ${format.week(overview.week)}`;
  const parts: Part[] = [{ text: `${format.figure(total)} ${headline.unit} ${when}` }];
  if (change)
    parts.push({ text: ", " }, { text: format.change(change), change }, { text: " on the week before" });
  if (year)
    parts.push(
      { text: change ? " and " : ", " },
      { text: format.change(year), change: year },
      { text: " on the year" },
    );
  return [...parts, { text: "." }];
}

/** Returns what is said without a total of downloads; before the first refresh all values are of files. */
function withoutTotal(overview: Overview, format: Formats): string {
  const { freshness, week, period_end, stars } = overview;
  if (isWithoutDownloads(overview))
    return stars === null ? "No downloads are counted" : starsText(stars, format);
  if (freshness.read_at === null) return `History up to ${format.day(period_end)}`;
  return `No series is complete in ${format.week(week)}`;
}

/** Returns over which series the headline is, and the stars. */
export function headlineNotes(overview: Overview, format: Formats): string {
  const numbers = overview.headline?.numbers;
  const stars = overview.stars === null ? [] : [starsText(overview.stars, format)];
  if (numbers?.type !== "headline")
    return isWithoutDownloads(overview) ? "No product has daily downloads." : [NO_TOTAL, ...stars].join(" ");
  const notes = [`Over the ${numbers.complete.length} of ${numbers.series} series that are complete.`];
  const { level_break: day } = numbers;
  const unknown = [
    ...(numbers.change === null ? [{ words: "on the week before", weeks: 1 }] : []),
    ...(numbers.year_on_year === null ? [{ words: "on the year", weeks: YEAR.week }] : []),
  ];
  const isCrossed = ({ weeks }: { weeks: number }): boolean =>
    day !== null && addDays(overview.period_end, -7 * weeks - 6) < day;
  if (day !== null && unknown.some(isCrossed))
    notes.push(`No change is given across ${format.day(day)}, since when a source counts in another way.`);
  const others = unknown.filter((base) => !isCrossed(base)).map(({ words }) => words);
  if (others.length > 0)
    notes.push(`No change ${others.join(" or ")}: a series is not complete there, or the total is 0.`);
  return [...notes, ...stars].join(" ");
}

/** Whether what is counted is something else: pulls, or stars alone. */
function isWithoutDownloads({ products }: Overview): boolean {
  return products.every(({ total }) => total?.unit !== "downloads");
}

const NO_TOTAL =
  "No series has a complete week, so there is no total. The newest known values are below; ≈ is an estimate.";

function starsText(stars: StarsOfWeek, format: Formats): string {
  const where =
    stars.included === stars.repositories
      ? ""
      : ` in ${stars.included} of ${stars.repositories} repositories`;
  const change = stars.change === null ? "" : `, ${format.signedCount(stars.change.absolute)} in the week`;
  return `${format.figure(stars.value)} stars${where}${change}.`;
}
