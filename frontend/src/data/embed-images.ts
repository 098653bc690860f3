/** The pictures of the API that a README can show of a chart's series. */
import { apiUrl } from "../api/client";
import { frozenFile, IS_FROZEN } from "../api/frozen";
import type { Line } from "../chart/lines";
import { axisOf, isByDayOnly } from "./kinds";

export interface EmbedImage {
  readonly kind: "chart" | "badge";
  readonly alt: string;
  readonly url: string;
}

type EmbeddedLine = Pick<Line, "id" | "name"> & { readonly series: Pick<Line["series"], "metric"> };

/** Series that the API draws in one chart. */
const MOST_IN_CHART = 8;

/**
 * Returns a chart of all series, and a chart and a badge of each.
 *
 * The API draws a chart only of series that share an axis, and uniques only by day.
 */
export function embedImages(
  title: string,
  lines: readonly EmbeddedLine[],
  origin: string,
): readonly EmbedImage[] {
  const urlOf = (path: string, ...parameters: readonly string[]): string =>
    `${origin}${apiUrl(path)}${parameters.length > 0 ? "?" : ""}${parameters.join("&")}`;
  const byDay = (...some: readonly EmbeddedLine[]): readonly string[] =>
    some.some(({ series }) => isByDayOnly(series.metric)) ? ["by=day"] : [];
  const ids = lines.map(({ id }) => `metric_id=${encodeURIComponent(id)}`);
  // a picture of several series is drawn on request, which needs a server
  if (IS_FROZEN) return lines.flatMap(frozenImages);
  const hasOneAxis = new Set(lines.map(({ series }) => axisOf(series.metric))).size === 1;
  const all: readonly EmbedImage[] =
    lines.length > 1 && lines.length <= MOST_IN_CHART && hasOneAxis
      ? [{ kind: "chart", alt: `${title}: chart`, url: urlOf("/chart.svg", ...ids, ...byDay(...lines)) }]
      : [];
  const ofSeries = lines.flatMap((line): readonly EmbedImage[] => [
    { kind: "chart", alt: `${line.name}: chart`, url: urlOf(`/chart/${line.id}.svg`, ...byDay(line)) },
    { kind: "badge", alt: `${line.name}: latest complete week`, url: urlOf(`/badge/${line.id}.svg`) },
  ]);
  return [...all, ...ofSeries];
}

/** Returns the two pictures of a series that a site without a server has, with absolute addresses. */
function frozenImages({ id, name }: EmbeddedLine): readonly EmbedImage[] {
  const urlOf = (path: string): string => new URL(frozenFile(path), document.baseURI).href;
  return [
    { kind: "chart", alt: `${name}: chart`, url: urlOf(`/chart/${id}.svg`) },
    { kind: "badge", alt: `${name}: latest complete week`, url: urlOf(`/badge/${id}.svg`) },
  ];
}
