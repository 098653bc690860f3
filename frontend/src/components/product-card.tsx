/** A product's latest complete week: downloads by SDK with change and share, stars, and every other family. */
import { Fragment } from "react";
import { seriesPath } from "../api/paths";
import type { Dashboard, WeeklyMetric, WeeklyProduct } from "../api/types";
import { seriesColour } from "../chart/colours";
import { chartData } from "../data/chart-data";
import { changeBasis, isByDayOnly, shownReading, unitText } from "../data/kinds";
import { familyName, shortName } from "../data/naming";
import { usePage } from "../hooks/contexts";
import { useResource } from "../hooks/use-resource";
import { DEFAULT_VIEW } from "../view/view";
import { Change } from "./change";
import { Swatch } from "./swatch";

const MAX_ROWS = 8;

interface Props {
  readonly product: WeeklyProduct;
  /** Last day of the latest ended week. */
  readonly latestWeekEnd: string;
}

export function ProductCard({ product, latestWeekEnd }: Props) {
  const downloads = product.metrics.filter((metric) => metric.metric_family === "downloads");
  const stars = product.metrics.filter((metric) => metric.metric_family === "stars");
  const others = product.metrics.filter((metric) => !downloads.includes(metric) && !stars.includes(metric));
  const rows = [downloads, stars, others].flatMap((metrics) => metrics.slice(0, MAX_ROWS));
  const moreCount = product.metrics.length - rows.length;
  const estimates = useEstimates(
    rows.filter(
      (metric) => metric.latest_complete === null && metric.latest_reading === null && !isByDayOnly(metric),
    ),
  );
  const [heading, valueHeading] = headings(downloads.length, others.length);
  const hasShares = downloads.length > 1;
  return (
    <article
      className={downloads.length > 0 ? "card" : "card is-small"}
      aria-labelledby={`card-${product.product}`}
    >
      <h3 id={`card-${product.product}`}>{product.display_name}</h3>
      <table className="figures">
        <caption className="visually-hidden">{product.display_name}: latest complete week</caption>
        <thead>
          <tr>
            <th scope="col">{heading}</th>
            <th scope="col" className="is-number">
              {valueHeading}
            </th>
            <th scope="col" className="is-number">
              Change
            </th>
            {hasShares && (
              <th scope="col" className="share-column">
                Share
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((metric, index) => (
            <MetricRow
              key={metric.metric_id}
              metric={metric}
              index={index}
              siblings={rows}
              latestWeekEnd={latestWeekEnd}
              estimate={estimates.get(metric.metric_id)}
              hasShares={hasShares}
            />
          ))}
        </tbody>
      </table>
      {moreCount > 0 && (
        <p className="muted">
          {moreCount} more in <a href="#movers">Movers</a>
        </p>
      )}
    </article>
  );
}

function headings(downloads: number, others: number): readonly [string, string] {
  if (downloads > 0) return ["Weekly downloads", "Count"];
  return others > 0 ? ["Metric", "Count"] : ["Repository", "Stars"];
}

interface MetricRowProps {
  readonly metric: WeeklyMetric;
  readonly index: number;
  readonly siblings: readonly WeeklyMetric[];
  readonly latestWeekEnd: string;
  readonly estimate: Estimate | undefined;
  readonly hasShares: boolean;
}

function MetricRow({ metric, index, siblings, latestWeekEnd, estimate, hasShares }: MetricRowProps) {
  const { format } = usePage();
  const latest = shownReading(metric) ?? metric.latest_complete;
  const isDownloads = metric.metric_family === "downloads";
  const isSaid = metric.metric_family === "stars" || (isDownloads && shownReading(metric) === null);
  const value = latest?.value ?? estimate?.value ?? null;
  const text = value === null ? "—" : `${latest === null ? "≈ " : ""}${format.count(value)}`;
  return (
    <tr className={isDownloads ? undefined : "is-level"}>
      <th scope="row">
        <span className="figure-name">
          {isDownloads && <Swatch index={index} sdk={metric.sdk} />}
          {isDownloads ? shortName(metric, siblings) : familyName(metric.metric_family)}
        </span>
        <span className="figure-note">
          <BreakableName name={metric.subject} />
          {!(isSaid && metric.unit === metric.metric_family) && <span> {unitText(metric)}</span>}
          <WeekNote metric={metric} latestWeekEnd={latestWeekEnd} estimate={estimate} />
        </span>
      </th>
      <td className="is-number figure" data-metric={metric.metric_id}>
        {text}
      </td>
      <td className="is-number">
        <Change change={metric.change} basis={changeBasis(metric)} />
      </td>
      {hasShares && (
        <td className="share-column">
          {isDownloads && <Share share={metric.share} index={index} sdk={metric.sdk} />}
        </td>
      )}
    </tr>
  );
}

/** A name such as `owner/repository`; a line break is possible only after the slash. */
function BreakableName({ name }: { readonly name: string }) {
  const parts = name.split("/");
  return (
    <>
      {parts.map((part, index) => (
        <Fragment key={part}>
          {index > 0 && (
            <>
              /<wbr />
            </>
          )}
          {part}
        </Fragment>
      ))}
    </>
  );
}

/** When a level was read, or a note if a number is not of the latest week or is missing. */
function WeekNote({
  metric,
  latestWeekEnd,
  estimate,
}: Pick<MetricRowProps, "metric" | "latestWeekEnd" | "estimate">) {
  const { format } = usePage();
  const reading = shownReading(metric);
  if (reading && (metric.value_kind === "rolling" || isByDayOnly(metric)))
    return <span className="tag"> to {format.day(reading.period_end)}</span>;
  if (reading) return <span className="tag"> read {format.instant(reading.observed_at)}</span>;
  const latest = metric.latest_complete;
  if (latest === null && estimate) return <span className="tag"> estimate, {estimate.period}</span>;
  if (latest === null) return <span className="tag"> no complete week yet</span>;
  if (latest.period_end === latestWeekEnd) return null;
  const now = metric.points.at(-1);
  const missing = now && now.days_present > 0 && metric.value_kind === "flow";
  if (now?.reset) return <span className="tag">{` ${format.periodShort(latest)}; counter reset since`}</span>;
  const reason = missing ? `; latest week has ${now.days_present} of ${now.days_expected} days` : "";
  return <span className="tag">{` ${format.periodShort(latest)}${reason}`}</span>;
}

function Share({
  share,
  index,
  sdk,
}: {
  readonly share: number | null;
  readonly index: number;
  readonly sdk: string | null;
}) {
  const { format } = usePage();
  if (share === null) return <span className="muted">—</span>;
  return (
    <span className="share">
      <svg className="share-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect className="share-rest" width="100" height="8" />
        <rect className={`fill-${seriesColour(sdk, index)}`} width={share * 100} height="8" />
      </svg>
      <span>{format.percent(share)}</span>
    </span>
  );
}

interface Estimate {
  readonly value: number;
  readonly period: string;
}

/** Returns the latest estimate of each metric; used for metrics without a complete week, such as seed data. */
function useEstimates(metrics: readonly WeeklyMetric[]): ReadonlyMap<string, Estimate> {
  const { format, now } = usePage();
  const ids = metrics.map((metric) => metric.metric_id);
  const series = useResource<Dashboard>(
    ids.length === 0 ? null : seriesPath(ids, "week", DEFAULT_VIEW.range, now),
  );
  const estimates = new Map<string, Estimate>();
  if (series.phase !== "ready") return estimates;
  for (const { metric, points } of chartData(series.response.body, ids, DEFAULT_VIEW).series) {
    const last = points.findLast((point) => point.kind === "estimated");
    if (last?.api.value != null)
      estimates.set(metric.metric_id, { value: last.api.value, period: format.period(last.api) });
  }
  return estimates;
}
