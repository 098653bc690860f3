/** The first screen and charts as text: Markdown, or Slack's mrkdwn. */
import type { Insight, Overview, ProductOfWeek } from "../api/types";
import type { Formats } from "../format/format";
import { type ChartData, type ChartPoint, periodRows } from "./chart-data";
import { headlineNotes, headlineParts } from "./headline-words";
import { insightTitle } from "./insight-words";
import { type InsightNames, insightName } from "./insights";
import { NOT_USERS } from "./naming";
import { notesText, sharedUnit, starsText, valueText } from "./total-notes";

export type Markup = "markdown" | "slack";

type Row = readonly string[];

export interface SharedOverview {
  readonly overview: Overview;
  readonly insights: readonly Insight[];
  readonly names: InsightNames;
  /** What all products are called together. */
  readonly name: string;
  readonly url: string;
}

/** Returns the first screen as text: the headline, what changed, and a row for each product. */
export function overviewText(shared: SharedOverview, format: Formats, markup: Markup): string {
  const { overview, insights, names, name, url } = shared;
  const write = WRITERS[markup];
  const days = format.days(overview.period_start, overview.period_end);
  const sample = overview.freshness.sample ? "Sample data: " : "";
  const headline = headlineParts(overview, format)
    .map(({ text }) => text)
    .join("");
  const lines = insights.map((insight) => {
    const title = insightTitle(insight, insightName(insight, names), format);
    return `${write.bullet} ${write.bold(title)}: ${write.escape(insight.sentence)}`;
  });
  return [
    write.bold(`${sample}${name}, ${format.week(overview.week)} (${days})`),
    `${write.escape(headline)} ${write.escape(headlineNotes(overview, format))}`,
    ...(lines.length > 0 ? [lines.join("\n")] : []),
    write.table([
      productColumns(overview),
      ...overview.products.map((row) => productCells(row, overview, format)),
    ]),
    `${NOT_USERS} ${write.link("Open the page", url)}`,
  ].join("\n\n");
}

function productColumns({ products }: Overview): Row {
  return ["product", `${sharedUnit(products) ?? "value"}, week`, "on week", "on 4 weeks", "on year", "stars"];
}

function productCells(product: ProductOfWeek, { products, week }: Overview, format: Formats): Row {
  const { total, stars } = product;
  const change = (of: Parameters<Formats["change"]>[0] | null | undefined): string =>
    of ? format.change(of) : "—";
  return [
    `${product.display_name}${notesText(product, week, format)}`,
    valueText(total, sharedUnit(products), format),
    change(total?.change),
    change(total?.four_week_change),
    change(total?.year_on_year_change),
    starsText(stars, format),
  ];
}

export interface SharedChart {
  readonly title: string;
  readonly subtitle: string;
  readonly chart: ChartData;
  readonly names: readonly string[];
  readonly source: string;
  readonly url: string;
}

/** Periods of a chart's text: more would fill a chat. */
const PERIODS = 12;

/** Returns a chart's newest periods as text. */
export function chartText(shared: SharedChart, format: Formats, markup: Markup): string {
  const { chart, names, title, subtitle, source, url } = shared;
  const write = WRITERS[markup];
  const rows = periodRows(chart)
    .slice(-PERIODS)
    .map(({ api, points }) => [format.periodShort(api), ...points.map((point) => pointCell(point, format))]);
  return [
    `${write.bold(title)}\n${write.escape(subtitle)}`,
    write.table([["period", ...names], ...rows]),
    `${write.escape(source)}. ${NOT_USERS} ${write.link("Open the chart", url)}`,
  ].join("\n\n");
}

function pointCell(point: ChartPoint | undefined, format: Formats): string {
  if (point?.displayValue == null) return "—";
  const note = point.kind === "measured" ? "" : ` (${NOTES[point.kind]})`;
  return `${format.count(point.displayValue)}${note}`;
}

const NOTES: Readonly<Record<ChartPoint["kind"], string>> = {
  measured: "",
  lacking: "lacks a period before",
  estimated: "estimate",
  incomplete: "incomplete",
  running: "in progress",
  reset: "counter reset",
  gap: "",
};

interface Writer {
  readonly bullet: string;
  readonly escape: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly link: (text: string, url: string) => string;
  readonly table: (rows: readonly Row[]) => string;
}

/** Escapes what Markdown would format; a catalogue may name a product anything. */
const escapeMarkdown = (text: string): string => text.replaceAll(/[\\`*_[\]<>|~]/g, "\\$&");
/** Slack's documentation names these three. */
const escapeSlack = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const WRITERS: Readonly<Record<Markup, Writer>> = {
  markdown: {
    bullet: "-",
    escape: escapeMarkdown,
    bold: (text) => `**${escapeMarkdown(text)}**`,
    link: (text, url) => `[${text}](${url.replaceAll(")", "%29")})`,
    table: markdownTable,
  },
  slack: {
    bullet: "•",
    escape: escapeSlack,
    bold: (text) => `*${escapeSlack(text).replaceAll("*", "∗")}*`,
    link: (text, url) => `<${url.replaceAll("|", "%7C")}|${text}>`,
    // mrkdwn has no tables
    table: (rows) => `\`\`\`\n${escapeSlack(alignedTable(rows)).replaceAll("`", "'")}\n\`\`\``,
  },
};

function markdownTable(rows: readonly Row[]): string {
  const [head = [], ...body] = rows.map((cells) => cells.map(escapeMarkdown));
  const line = (cells: Row): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...body.map(line)].join(
    "\n",
  );
}

function alignedTable(rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => lengthOf(cells[column]))),
  );
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => {
          const space = " ".repeat((widths[column] ?? 0) - lengthOf(cell));
          return column === 0 ? cell + space : space + cell;
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function lengthOf(cell: string | undefined): number {
  return [...(cell ?? "")].length;
}
