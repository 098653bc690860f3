import { memo, type ReactElement } from "react";
import type { Identity, Line } from "../chart/lines";
import type { PointKind } from "../data/chart-data";
import { KIND_LEGEND } from "../data/naming";
import { useReader, useViewed } from "../hooks/contexts";
import { Mark } from "./swatch";

/** The series of a chart, each with its colour and mark; a press hides or shows it. */
export function SeriesLegend({ identities }: { readonly identities: readonly Identity[] }) {
  const { view } = useViewed();
  const { change } = useReader();
  const toggle = (id: string): void => {
    const isHidden = view.hidden.includes(id);
    change({ hidden: isHidden ? view.hidden.filter((one) => one !== id) : [...view.hidden, id] });
  };
  return (
    <ul className="legend" aria-label="Series">
      {identities.map(({ id, name, colour, symbol }) => (
        <li key={id}>
          <button
            type="button"
            aria-pressed={!view.hidden.includes(id)}
            onClick={() => toggle(id)}
            title={id}
          >
            <Mark colour={colour} symbol={symbol} />
            {name}
          </button>
        </li>
      ))}
    </ul>
  );
}

const SAMPLES: Readonly<Record<PointKind | "restated", () => ReactElement>> = {
  measured: () => <path className="key-line" d="M1 7h26" />,
  estimated: () => <path className="key-line is-dashed" d="M1 7h26" />,
  incomplete: () => <path className="key-line" d="M10 3l8 8m0-8l-8 8" />,
  running: () => <path className="key-hatch" d="M3 12l6-10m1 10l6-10m1 10l6-10" />,
  gap: () => <path className="key-line" d="M1 7h8m10 0h8" />,
  restated: () => <circle className="key-ring" cx="14" cy="7" r="5.5" />,
};

/** What the ways of drawing mean; only those that this chart has. */
export const KindLegend = memo(function KindLegend({ lines }: { readonly lines: readonly Line[] }) {
  const points = lines.flatMap((line) => line.series.points);
  const kinds = new Set<PointKind | "restated">(
    points.filter((one) => one.shown !== null || one.kind === "gap").map((one) => one.kind),
  );
  if (points.some((one) => one.point.revised && one.shown !== null)) kinds.add("restated");
  if (points.some((one) => "partial" in one.point)) kinds.add("running");
  const known = Object.keys(KIND_LEGEND).filter((kind) => kinds.has(kind as PointKind)) as PointKind[];
  return (
    <ul className="kinds" aria-label="How to read the chart">
      {known.map((kind) => (
        <li key={kind}>
          <svg viewBox="0 0 28 14" aria-hidden="true">
            {SAMPLES[kind]()}
          </svg>
          {KIND_LEGEND[kind]}
        </li>
      ))}
    </ul>
  );
});
