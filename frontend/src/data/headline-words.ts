/** The figures that answer "how are we doing?", in parts, so that the page, a text and a slide say the same. */
import type { Change, Overview, StarsOfWeek } from "../api/types";
import type { Formats } from "../format/format";

export interface Part {
  readonly text: string;
  /** The change that the text states, which has a colour by its direction. */
  readonly change?: Change;
}

/** Returns the headline's parts: the API's numbers, formatted. */
export function headlineParts(overview: Overview, format: Formats): readonly Part[] {
  const { headline } = overview;
  if (headline?.numbers.type !== "headline") return [{ text: withoutTotal(overview, format) }];
  const { total, change, year_on_year: year } = headline.numbers;
  const when = overview.next === null ? "last week" : `in ${format.week(overview.week)}`;
  const parts: Part[] = [{ text: `${format.figure(total)} ${headline.unit} ${when}` }];
  if (change)
    parts.push({ text: ", " }, { text: format.exactChange(change), change }, { text: " on the week before" });
  if (year)
    parts.push(
      { text: change ? " and " : ", " },
      { text: format.exactChange(year), change: year },
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

/** What is below the figures: the API's sentence with its link, or why there is none, and the stars. */
export interface Basis {
  readonly sentence: string;
  /** The path of the numbers that the sentence rests on; null where the API has no sentence. */
  readonly link: string | null;
  readonly stars: string | null;
}

/** Returns what the headline rests on, in the words of the API, as the report and the digest have them. */
export function headlineBasis(overview: Overview, format: Formats): Basis {
  const { headline } = overview;
  if (headline === null && isWithoutDownloads(overview))
    return { sentence: "No product has daily downloads.", link: null, stars: null };
  const stars = overview.stars === null ? null : starsText(overview.stars, format);
  return { sentence: headline?.sentence ?? NO_TOTAL, link: headline?.link ?? null, stars };
}

/** Returns what the headline rests on as one text. */
export function headlineNotes(overview: Overview, format: Formats): string {
  const { sentence, stars } = headlineBasis(overview, format);
  return stars === null ? sentence : `${sentence} ${stars}`;
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
