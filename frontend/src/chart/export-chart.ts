/** Makes what the export menu of a chart offers, and returns the sentence that says so. */
import type { WeeklyMetric } from "../api/types";
import type { ExportKind } from "../components/chart-actions";
import type { ChartData } from "../data/chart-data";
import { chartClaim, drawnIn } from "../data/claims";
import { copyPng, copyText } from "../data/clipboard";
import { toCsv, toWideCsv } from "../data/csv";
import { chartText } from "../data/share-text";
import { chartSubtitle } from "../data/subtitle";
import type { Formats } from "../format/format";
import type { View } from "../view/view";
import { chartPicture } from "./export";
import type { Line } from "./lines";
import { currentTheme, download, type PictureTheme, pngOf, svgText } from "./picture";

export interface ExportInput {
  readonly id: string;
  readonly title: string;
  readonly metrics: readonly WeeklyMetric[];
  readonly chart: ChartData;
  readonly lines: readonly Line[];
  readonly isSample: boolean;
  /** The chart on the page; null before it is drawn. */
  readonly svg: SVGSVGElement | null;
  readonly view: Pick<View, "grain" | "sum" | "unit" | "scale" | "week">;
  readonly format: Formats;
  readonly now: number;
}

/** Exports a chart; returns what has happened. */
export async function exportChart(kind: ExportKind, input: ExportInput): Promise<string> {
  switch (kind) {
    case "csv":
      return save(input, ".csv", csvFile(toCsv(input.chart, input.isSample)));
    case "csv-wide":
      return save(input, "-wide.csv", csvFile(toWideCsv(input.chart, input.isSample)));
    case "markdown":
    case "slack":
      return copied(await copyText(chartText(shared(input), input.format, kind)), "Text");
    default:
      return input.svg === null ? "The chart is still loading." : exportPicture(kind, input, input.svg);
  }
}

type PictureKind = Exclude<ExportKind, "csv" | "csv-wide" | "markdown" | "slack">;

async function exportPicture(kind: PictureKind, input: ExportInput, svg: SVGSVGElement): Promise<string> {
  const picture = (theme: PictureTheme): SVGSVGElement =>
    chartPicture(svg, input.lines, shared(input), theme);
  if (kind === "copy-image") return copied(await copyPng(pngOf(picture(currentTheme()))), "Image");
  if (kind === "svg") {
    const file = new Blob([svgText(picture(currentTheme()))], { type: "image/svg+xml" });
    return save(input, ".svg", file);
  }
  const theme = kind === "png-dark" ? "dark" : "light";
  return save(input, `-${theme}.png`, await pngOf(picture(theme)));
}

function csvFile(text: string): Blob {
  return new Blob([text], { type: "text/csv;charset=utf-8" });
}

function save({ id, chart, isSample }: ExportInput, ending: string, file: Blob): string {
  const mark = isSample ? "sample-data-" : "";
  const name = `${mark}${id.replaceAll(/[^\w.-]+/g, "-")}-${chart.latestDay ?? ""}${ending}`;
  download(name, file);
  return `Downloaded ${name}.`;
}

function copied(isCopied: boolean, what: string): string {
  return isCopied ? `${what} copied.` : "The browser blocked copying. Download a file instead.";
}

/** Returns title, unit, period and source, which a picture and a text share. */
function shared({ title, metrics, chart, lines, isSample, view, format, now }: ExportInput) {
  const claim = chartClaim(metrics, drawnIn(lines, chart, view), format);
  const sources = [...new Set(chart.series.map(({ metric }) => metric.source))].join(", ");
  const through = chart.latestDay === null ? "" : `, data through ${format.day(chart.latestDay)}`;
  const made = format.day(new Date(now).toISOString().slice(0, 10));
  return {
    title: `${isSample ? "Sample data: " : ""}${claim === null ? title : `${title}: ${claim}`}`,
    subtitle: chartSubtitle(lines, chart, view, format),
    source: `Source: ${sources}${through}; made ${made} with community-metrics, ${location.href}`,
    chart,
    names: lines.map((line) => line.name),
    url: location.href,
  };
}
