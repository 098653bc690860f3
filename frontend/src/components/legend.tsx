import { memo, type ReactElement } from "react";
import type { Line, LineStyle } from "../chart/lines";
import type { PointKind } from "../data/chart-data";
import { KIND_LABELS } from "../data/naming";
import { usePage, useView } from "../hooks/contexts";
import { SeriesMark } from "./swatch";

/** The series of a chart with their colours and marks; selecting one hides or shows it. */
export function SeriesLegend({ styles }: { readonly styles: readonly LineStyle[] }) {
  const { view } = useView();
  const { change } = usePage();
  const toggle = (id: string): void => {
    const isHidden = view.hidden.includes(id);
    change({ hidden: isHidden ? view.hidden.filter((hidden) => hidden !== id) : [...view.hidden, id] });
  };
  return (
    <ul className="legend" aria-label="Series">
      {styles.map(({ id, name, colour, symbol }) => (
        <li key={id}>
          <button
            type="button"
            aria-pressed={!view.hidden.includes(id)}
            onClick={() => toggle(id)}
            title={id}
          >
            <SeriesMark colour={colour} symbol={symbol} />
            {name}
          </button>
        </li>
      ))}
    </ul>
  );
}

const KIND_ICONS: Readonly<Record<PointKind | "restated", () => ReactElement>> = {
  measured: () => <path className="key-line" d="M1 7h26" />,
  estimated: () => <path className="key-line is-dashed" d="M1 7h26" />,
  incomplete: () => <path className="key-line" d="M10 3l8 8m0-8l-8 8" />,
  running: () => <path className="key-hatch" d="M3 12l6-10m1 10l6-10m1 10l6-10" />,
  reset: () => <path className="key-line" d="M1 4h12v7h14" />,
  gap: () => <path className="key-line" d="M1 7h8m10 0h8" />,
  restated: () => <circle className="key-ring" cx="14" cy="7" r="5.5" />,
};

/** The kinds of points in this chart and their marks. */
export const KindLegend = memo(function KindLegend({ lines }: { readonly lines: readonly Line[] }) {
  const points = lines.flatMap((line) => line.series.points);
  const kinds = new Set<PointKind | "restated">(
    points
      .filter((point) => point.displayValue !== null || point.kind === "gap" || point.kind === "reset")
      .map((point) => point.kind),
  );
  if (points.some((point) => point.api.restated && point.displayValue !== null)) kinds.add("restated");
  if (points.some((point) => "partial" in point.api)) kinds.add("running");
  const known = Object.keys(KIND_LABELS).filter((kind) => kinds.has(kind as PointKind)) as PointKind[];
  return (
    <ul className="kind-legend" aria-label="Kinds of points">
      {known.map((kind) => (
        <li key={kind}>
          <svg viewBox="0 0 28 14" aria-hidden="true">
            {KIND_ICONS[kind]()}
          </svg>
          {KIND_LABELS[kind]}
        </li>
      ))}
    </ul>
  );
});
