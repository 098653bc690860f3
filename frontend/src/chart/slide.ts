/** The first screen as a slide: headline, what changed, and the largest products. */
import type { Overview, ProductOfWeek } from "../api/types";
import { headlineNotes, headlineParts } from "../data/headline-words";
import { insightTitle, MARKS } from "../data/insight-words";
import { insightName } from "../data/insights";
import { NOT_USERS } from "../data/naming";
import type { SharedOverview } from "../data/share-text";
import { sparkline } from "../data/sparkline";
import { notesText, sharedUnit, starsText, valueText } from "../data/total-notes";
import { changeTone, type Formats } from "../format/format";
import { svgElement } from "./hatch";
import {
  currentTheme,
  download,
  inTheme,
  newPicture,
  PICTURE,
  type PictureTheme,
  pngOf,
  type TextStyle,
  textAt,
  textBlock,
  widthOf,
} from "./picture";
import { cutText } from "./text-lines";

const MUTED = "var(--muted)";
const RIGHT = PICTURE.width - PICTURE.padding;
const WIDTH = PICTURE.width - 2 * PICTURE.padding;
const ROW = 21;
const MOST_ROWS = 10;
/** The smallest letters of a name: a slide is read from afar. */
const SMALLEST = 9;
/** A longer address is written without its parameters. */
const LONGEST_URL = 160;
const TONES = { up: "var(--up)", down: "var(--down)", quiet: MUTED } as const;

/** Returns a self-contained slide of the first screen. */
export function overviewSlide(
  shared: SharedOverview,
  format: Formats,
  theme: PictureTheme,
  now: number,
): SVGSVGElement {
  const { overview, name } = shared;
  const slide = newPicture();
  const sample = overview.freshness.sample ? "Sample data: " : "";
  const days = format.days(overview.period_start, overview.period_end);
  const above = `${sample}${name} · ${format.week(overview.week)} · ${days}`;
  const top = textBlock(above, { x: PICTURE.padding, top: 18, maxWidth: WIDTH }, { size: 13, weight: 600 });
  const headline = headlineBlock(overview, format, top.bottom + 2);
  const notes = textBlock(
    headlineNotes(overview, format),
    { x: PICTURE.padding, top: headline.bottom, maxWidth: WIDTH },
    { size: 11.5, fill: MUTED },
  );
  const cards = insightCards(shared, format, notes.bottom + 8);
  slide.append(...top.elements, ...headline.elements, ...notes.elements, ...cards.elements);
  const foot = footBlock(shared, format, now);
  slide.append(...productRows(overview, format, cards.bottom + 10, foot.top - 6), ...foot.elements);
  return inTheme(slide, theme);
}

/** Returns source, days and address in lines that end at the bottom of the slide. */
function footBlock({ overview, url }: SharedOverview, format: Formats, now: number) {
  const style: TextStyle = { size: 10, fill: MUTED };
  const { sources } = overview.freshness;
  const newest = sources
    .flatMap(({ newest_day }) => newest_day ?? [])
    .sort()
    .at(-1);
  const through = newest === undefined ? "" : `, newest day ${format.day(newest)}`;
  const made = format.day(new Date(now).toISOString().slice(0, 10));
  const isEstimated = overview.products.some(({ total }) => total?.estimates.some((value) => value !== null));
  const text = [
    NOT_USERS,
    ...(isEstimated ? ["≈ and dashed lines are estimates."] : []),
    `Source: ${sources.map(({ source }) => source).join(", ")}${through}; made ${made} with community-metrics,`,
    url.length > LONGEST_URL ? url.split("?")[0] : url,
  ].join(" ");
  const place = { x: PICTURE.padding, maxWidth: WIDTH };
  const top = PICTURE.height - 10 - textBlock(text, { ...place, top: 0 }, style).bottom;
  return { top, elements: textBlock(text, { ...place, top }, style).elements };
}

/** Returns the headline in lines, with each change in the colour of its direction. */
function headlineBlock(overview: Overview, format: Formats, top: number) {
  const style: TextStyle = { size: 24, weight: 700 };
  const height = 31;
  const words = headlineParts(overview, format).flatMap(({ text, change }) =>
    text.split(/(?<=\s)/).map((word) => ({ word, fill: change ? TONES[changeTone(change)] : "var(--text)" })),
  );
  let x = PICTURE.padding;
  let y = top + style.size;
  const elements = words.map(({ word, fill }) => {
    const width = widthOf(word, style);
    if (x + widthOf(word.trimEnd(), style) > RIGHT) {
      x = PICTURE.padding;
      y += height;
    }
    const element = textAt(word.trimEnd(), x, y, { ...style, fill });
    x += width;
    return element;
  });
  return { elements, bottom: y + 9 };
}

function insightCards({ insights, names }: SharedOverview, format: Formats, top: number) {
  const gap = 10;
  const count = Math.max(1, insights.length);
  const width = (WIDTH - gap * (count - 1)) / count;
  const blocks = insights.map((insight, index) => {
    const x = PICTURE.padding + index * (width + gap);
    const title = `${MARKS[insight.kind]} ${insightTitle(insight, insightName(insight, names), format)}`;
    const place = { x: x + 12, top: top + 7, maxWidth: width - 22 };
    const head = textBlock(title, place, { size: 12.5, weight: 650 });
    const sentence = insight.sentence;
    const text = textBlock(sentence, { ...place, top: head.bottom + 1 }, { size: 10, fill: MUTED });
    return { elements: [...head.elements, ...text.elements], bottom: text.bottom };
  });
  if (blocks.length === 0) return { elements: [], bottom: top };
  const bottom = Math.max(...blocks.map((block) => block.bottom)) + 8;
  const boxes = insights.flatMap((_, index) => {
    const x = PICTURE.padding + index * (width + gap);
    const height = String(bottom - top);
    return [
      svgElement("rect", { x: `${x}`, y: `${top}`, width: `${width}`, height, rx: "6", fill: "var(--sunk)" }),
      svgElement("rect", { x: `${x}`, y: `${top}`, width: "4", height, rx: "2", fill: "var(--accent)" }),
    ];
  });
  return { elements: [...boxes, ...blocks.flatMap((block) => block.elements)], bottom };
}

/** Right edges of the columns of numbers, and the place of the sparkline. */
const COLUMNS = { value: 430, week: 510, four: 595, year: 680, spark: [705, 825], stars: RIGHT } as const;

const VALUE: TextStyle = { size: 13, weight: 700 };

function productRows(
  overview: Overview,
  format: Formats,
  top: number,
  bottom: number,
): readonly SVGElement[] {
  const room = Math.max(0, Math.floor((bottom - top - 18) / ROW));
  const shown = overview.products.slice(0, Math.min(MOST_ROWS, room));
  if (shown.length === 0) return [];
  const head: TextStyle = { size: 10.5, fill: MUTED, anchor: "end" };
  const unit = sharedUnit(overview.products);
  const more = overview.products.length - shown.length;
  const values = shown.map(({ total }) => valueText(total, unit, format));
  const widest = Math.max(...values.map((text) => widthOf(text, VALUE)));
  const nameWidth = COLUMNS.value - widest - 14 - PICTURE.padding;
  const rowTop = (index: number): number => top + 18 + index * ROW;
  return [
    textAt(
      more > 0 ? `The ${shown.length} largest of ${overview.products.length} products` : "Product",
      PICTURE.padding,
      top + 11,
      {
        ...head,
        anchor: "start",
      },
    ),
    textAt(`${unit ?? "value"}, week`, COLUMNS.value, top + 11, head),
    textAt("on week", COLUMNS.week, top + 11, head),
    textAt("on 4 weeks", COLUMNS.four, top + 11, head),
    textAt("on year", COLUMNS.year, top + 11, head),
    textAt("52 weeks", COLUMNS.spark[0], top + 11, { ...head, anchor: "start" }),
    textAt("stars", COLUMNS.stars, top + 11, head),
    ...shown.flatMap((product, index) => [
      ...productName(
        product.display_name,
        notesText(product, overview.week, format),
        nameWidth,
        rowTop(index),
      ),
      ...productCells(product, values[index] ?? "", format, rowTop(index)),
    ]),
  ];
}

function productCells({ total, stars }: ProductOfWeek, value: string, format: Formats, y: number) {
  const baseline = y + 15;
  const number = (text: string, x: number, style: Partial<TextStyle> = {}): SVGElement =>
    textAt(text, x, baseline, { size: 13, anchor: "end", ...style });
  const change = (of: NonNullable<typeof total>["change"] | undefined, x: number): SVGElement =>
    of ? number(format.change(of), x, { fill: TONES[changeTone(of)] }) : number("—", x, { fill: MUTED });
  return [
    svgElement("path", { d: `M${PICTURE.padding} ${y}H${RIGHT}`, stroke: "var(--line)" }),
    textAt(value, COLUMNS.value, baseline, { ...VALUE, anchor: "end" }),
    change(total?.change, COLUMNS.week),
    change(total?.four_week_change, COLUMNS.four),
    change(total?.year_on_year_change, COLUMNS.year),
    ...(total ? sparkPaths(total.weeks, total.estimates, y) : []),
    number(starsText(stars, format), COLUMNS.stars),
  ];
}

/** Returns a product's name: whole, in two smaller lines, or cut before its notes where it is longer. */
function productName(name: string, notes: string, room: number, y: number): readonly SVGElement[] {
  const whole: TextStyle = { size: 13, weight: 600 };
  const text = `${name}${notes}`;
  if (widthOf(text, whole) <= room) return [textAt(text, PICTURE.padding, y + 15, whole)];
  const style: TextStyle = { size: SMALLEST, weight: 600 };
  const lines = cutText(name, notes, { maxWidth: room, most: 2 }, (line) => widthOf(line, style));
  return lines.map((line, index) =>
    textAt(line, PICTURE.padding, y + 1 + SMALLEST + index * (SMALLEST + 1), style),
  );
}

function sparkPaths(weeks: readonly (number | null)[], estimates: readonly (number | null)[], y: number) {
  const { measured, estimated } = sparkline(weeks, estimates);
  const [left, right] = COLUMNS.spark;
  const attributes = {
    transform: `translate(${left} ${y + 4}) scale(${(right - left) / 100} ${(ROW - 8) / 100})`,
    "vector-effect": "non-scaling-stroke",
    fill: "none",
    stroke: "var(--text)",
    "stroke-width": "1.3",
    "stroke-linejoin": "round",
    "stroke-linecap": "round",
  };
  return [
    svgElement("path", { ...attributes, d: measured }),
    ...(estimated === ""
      ? []
      : [svgElement("path", { ...attributes, d: estimated, "stroke-dasharray": "3 4" })]),
  ];
}

/** Downloads the slide in the page's theme; returns the name of the file. */
export async function downloadSlide(shared: SharedOverview, format: Formats, now: number): Promise<string> {
  const { overview } = shared;
  const name = `${overview.freshness.sample ? "sample-data-" : ""}overview-${overview.week}.png`;
  download(name, await pngOf(overviewSlide(shared, format, currentTheme(), now)));
  return name;
}
