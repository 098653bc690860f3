import { memo, type ReactElement, useState } from "react";
import type { LineStyle } from "../chart/lines";
import { KIND_LABELS } from "../data/naming";
import { usePage, useView } from "../hooks/contexts";
import { usePrinting } from "../hooks/printing";
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
      {styles.map(({ id, name, colour, symbol, isWatched }) => (
        <li key={id}>
          <button
            type="button"
            aria-pressed={!view.hidden.includes(id)}
            onClick={() => toggle(id)}
            title={id}
          >
            <SeriesMark colour={colour} symbol={symbol} isWatched={isWatched} />
            {name}
          </button>
        </li>
      ))}
    </ul>
  );
}

const KIND_ICONS: Readonly<Record<keyof typeof KIND_LABELS, () => ReactElement>> = {
  measured: () => <path className="key-line" d="M1 7h26" />,
  average: () => <path className="key-line is-thick" d="M1 7h26" />,
  yearBefore: () => <path className="key-line is-pale" d="M1 7h26" />,
  lacking: () => <path className="key-line is-dotted" d="M1 7h26" />,
  estimated: () => <path className="key-line is-dashed" d="M1 7h26" />,
  incomplete: () => <path className="key-line" d="M10 3l8 8m0-8l-8 8" />,
  running: () => <path className="key-hatch" d="M3 12l6-10m1 10l6-10m1 10l6-10" />,
  reset: () => <path className="key-line is-dotted" d="M14 0v14" />,
  gap: () => <path className="key-line" d="M1 7h8m10 0h8" />,
  restated: () => <circle className="key-ring" cx="14" cy="7" r="5.5" />,
};

/** The marks of all charts and what they mean: once on the page. */
export const Key = memo(function Key() {
  const isPrinting = usePrinting();
  const [isWide] = useState(() => matchMedia("(min-width: 60rem)").matches);
  return (
    <details className="key" open={isWide || isPrinting}>
      <summary>Key to the charts</summary>
      <ul className="kind-legend" aria-label="Kinds of points">
        {(Object.keys(KIND_LABELS) as (keyof typeof KIND_LABELS)[]).map((kind) => (
          <li key={kind}>
            <svg viewBox="0 0 28 14" aria-hidden="true">
              {KIND_ICONS[kind]()}
            </svg>
            {KIND_LABELS[kind]}
          </li>
        ))}
      </ul>
    </details>
  );
});
