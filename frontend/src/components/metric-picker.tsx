import { useCallback } from "react";
import { matching, type Named } from "../data/matching";
import { usePage, useView } from "../hooks/contexts";
import { Combobox, type Option } from "./combobox";

interface Props {
  readonly label: string;
  readonly metrics: readonly Named[];
  /** The list of the view that this picker adds to. */
  readonly list: "added" | "compared";
  readonly onFocus?: () => void;
}

export const MAX_SERIES = 8;

/** Finds a metric by any part of its name or id and adds it to a chart. */
export function MetricPicker({ label, metrics, list, onFocus }: Props) {
  const { view } = useView();
  const { change, announce } = usePage();
  const chosen = view[list];
  const search = useCallback(
    (text: string): readonly Option[] => {
      const left = metrics.filter(({ metric_id }) => !chosen.includes(metric_id));
      const found = text.trim() === "" ? left : matching(left, text);
      return found.map(({ metric_id, display_name }) => ({
        id: metric_id,
        name: display_name,
        detail: metric_id,
      }));
    },
    [metrics, chosen],
  );
  const add = (id: string): void => {
    if (chosen.length >= MAX_SERIES) {
      announce(`You can add up to ${MAX_SERIES} series.`);
      return;
    }
    change({ [list]: [...chosen, id] });
    announce(`Added ${metrics.find(({ metric_id }) => metric_id === id)?.display_name ?? id}.`);
  };
  return (
    <div className="picker">
      <Combobox
        label={label}
        placeholder="Any part of a name"
        search={search}
        onSelect={add}
        {...(onFocus ? { onFocus } : {})}
      />
    </div>
  );
}
