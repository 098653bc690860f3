/** One product of the table; the whole row opens it. */
import { memo } from "react";
import type { ProductOfWeek, StarsOfWeek, WeeklyTotal } from "../api/types";
import { seriesColour } from "../chart/colours";
import { sdkName } from "../data/naming";
import { sparkline } from "../data/sparkline";
import { notesOf } from "../data/total-notes";
import { usePage } from "../hooks/contexts";
import { Change } from "./change";
import { ViewLink } from "./view-link";

/** Where a row is in a table of which only some rows are drawn; `measure` is null where all are. */
export interface RowPlace {
  readonly index: number;
  readonly measure: ((row: HTMLTableRowElement | null) => void) | null;
}

/** Returns the attributes of a row by which it is measured, and counted by screen readers after the header. */
export function placeOf({ index, measure }: RowPlace) {
  return measure ? { ref: measure, "data-index": index, "aria-rowindex": index + 2 } : {};
}

interface Props extends RowPlace {
  readonly product: ProductOfWeek;
  /** The week of the table. */
  readonly week: string;
  /** The SDKs of all products, whose order decides their colours. */
  readonly sdks: readonly string[];
}

export const ProductRow = memo(function ProductRow({ product, week, sdks, ...place }: Props) {
  const { total, stars } = product;
  const reason = changeReason(total);
  // where nothing adds up, a narrow screen has no line of dashes
  const ofTotal = total ? "is-number product-more" : "is-number product-more is-unknown";
  return (
    <tr {...placeOf(place)}>
      <th scope="row">
        <ViewLink className="product-link" changes={{ product: product.product }}>
          {product.display_name}
        </ViewLink>{" "}
        {total && <Notes total={total} week={week} />}
      </th>
      <td className="is-number product-value" data-product={product.product}>
        <Value total={total} />
      </td>
      <td
        className={total ? "is-number product-change" : "is-number product-change is-unknown"}
        data-label="wk"
      >
        <Change change={total?.change ?? null} reason={reason} />
      </td>
      <td className={ofTotal} data-label="4 wk">
        <Change change={total?.four_week_change ?? null} reason={reason} />
      </td>
      <td className={ofTotal} data-label="yr">
        <Change change={total?.year_on_year_change ?? null} reason={reason} />
      </td>
      <td className={total ? "spark-column" : "spark-column is-unknown"}>
        {total && <Spark total={total} />}
      </td>
      <td className={total ? "sdk-column" : "sdk-column is-unknown"}>
        {total && <SdkBar total={total} sdks={sdks} />}
      </td>
      <td className={stars ? "is-number product-more" : "is-number product-more is-unknown"} data-label="★">
        {stars ? <Stars stars={stars} /> : "—"}
      </td>
    </tr>
  );
});

function changeReason(total: WeeklyTotal | null): string {
  if (total === null) return "Nothing of this product adds up by the week";
  if (total.estimated) return "Not available: an estimate enters no change";
  if (total.level_break)
    return `Not available: a source counts in another way since ${total.level_break.day}`;
  return "Not available: a series is not complete in one of the two periods, or the earlier value is 0";
}

function Value({ total }: { readonly total: WeeklyTotal | null }) {
  const { format } = usePage();
  if (total?.value == null) return <>—</>;
  return (
    <data value={total.value} title={format.count(total.value)}>
      {total.estimated && "≈ "}
      {format.figure(total.value)}
    </data>
  );
}

/** The unit where it is not downloads, and what the value lacks. */
function Notes({ total, week }: { readonly total: WeeklyTotal; readonly week: string }) {
  const { format } = usePage();
  return (
    <>
      {total.unit !== "downloads" && <span className="product-unit muted">{total.unit} </span>}
      {notesOf(total, week, format).map(({ kind, text, title }) => (
        <span key={kind} className={kind === "week" ? "tag is-nowrap" : "tag"} title={title}>
          {text}{" "}
        </span>
      ))}
    </>
  );
}

function Spark({ total }: { readonly total: WeeklyTotal }) {
  const { measured, estimated, last } = sparkline(total.weeks, total.estimates);
  const known = total.weeks.filter((value) => value !== null).length;
  return (
    <>
      <svg className="spark" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        <path className="spark-ground" d="M0 100H100" />
        <path className="spark-line" d={measured} />
        {estimated !== "" && <path className="spark-line is-estimated" d={estimated} />}
        {last && <path className="spark-end" d={`M${last.x} ${last.y}h0`} />}
      </svg>
      <span className="visually-hidden">
        {known} of {total.weeks.length} weeks complete
      </span>
    </>
  );
}

function SdkBar({ total, sdks }: { readonly total: WeeklyTotal; readonly sdks: readonly string[] }) {
  const { format } = usePage();
  if (total.sdks.length === 0) return null;
  const text = total.sdks
    .map(({ sdk, share }) => `${sdk === null ? "Other" : sdkName(sdk)} ${format.percent(share)}`)
    .join(", ");
  let start = 0;
  return (
    <>
      <svg className="sdk-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <title>{text}</title>
        {total.sdks.map(({ sdk, share }) => {
          const x = start;
          start += share * 100;
          return <rect key={sdk} className={sdkFill(sdk, sdks)} x={x} width={share * 100} height="8" />;
        })}
      </svg>
      <span className="visually-hidden">{text}</span>
    </>
  );
}

function sdkFill(sdk: string | null, sdks: readonly string[]): string {
  return sdk === null ? "fill-5" : `fill-${seriesColour(sdk, sdks.indexOf(sdk))}`;
}

/** Returns the SDKs of all products, the most frequent first. */
export function sdksOf(products: readonly ProductOfWeek[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { total } of products)
    for (const { sdk } of total?.sdks ?? []) if (sdk !== null) counts.set(sdk, (counts.get(sdk) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([sdk]) => sdk);
}

/** The header of the bars, which is their key. */
export function SdkKey({ sdks }: { readonly sdks: readonly string[] }) {
  if (sdks.length === 0) return <span className="visually-hidden">SDKs</span>;
  return (
    <span className="sdk-key">
      {sdks.map((sdk) => (
        <span key={sdk} className="is-nowrap">
          <svg className="sdk-mark" viewBox="0 0 8 8" aria-hidden="true">
            <rect className={sdkFill(sdk, sdks)} width="8" height="8" />
          </svg>{" "}
          {sdkName(sdk)}{" "}
        </span>
      ))}
    </span>
  );
}

function Stars({ stars }: { readonly stars: StarsOfWeek }) {
  const { format } = usePage();
  return (
    <>
      <data value={stars.value} title={format.count(stars.value)}>
        {format.figure(stars.value)}
      </data>{" "}
      <span className="muted star-change">
        {stars.change !== null && format.signedCount(stars.change.absolute)}
        {stars.read_at !== null && <span title={format.instant(stars.read_at)}>as read</span>}
      </span>
    </>
  );
}
