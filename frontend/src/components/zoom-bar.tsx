/** What a zoom did, beside the chart in which it was done, with the way back. */
import { useCallback, useState } from "react";
import { usePage, useView } from "../hooks/contexts";
import { type DateRange, isSameRange, RANGE_NAMES, type Range } from "../view/view";

export interface Zoom {
  /** The range before the zoom, and that of the zoom; null before any. */
  readonly last: { readonly from: Range; readonly to: DateRange } | null;
  readonly onZoom: (range: DateRange) => void;
}

/** Returns the last zoom that was made in a chart, and what makes one. */
export function useZoom(): Zoom {
  const { range } = useView().view;
  const { change, announce, format } = usePage();
  const [last, setLast] = useState<Zoom["last"]>(null);
  const onZoom = useCallback(
    (to: DateRange) => {
      setLast({ from: range, to });
      change({ range: to });
      announce(`Zoomed all charts to ${format.days(to.from, to.to)}. Undo zoom is above the chart.`);
    },
    [range, change, announce, format],
  );
  return { last, onZoom };
}

export function ZoomBar({ zoom: { last } }: { readonly zoom: Zoom }) {
  const { view } = useView();
  const { change, format } = usePage();
  if (last === null || !isSameRange(view.range, last.to)) return null;
  const { from, to } = last;
  const before = typeof from === "string" ? RANGE_NAMES[from] : format.days(from.from, from.to);
  return (
    <p className="zoom-bar">
      <span>
        All charts are zoomed from {before} to {format.days(to.from, to.to)}.
      </span>
      <button type="button" className="button small" onClick={() => change({ range: from })}>
        Undo zoom
      </button>
    </p>
  );
}
