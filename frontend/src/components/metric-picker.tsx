import { useMemo, useState } from "react";
import type { WeeklyMetric } from "../api/types";
import { usePage, useView } from "../hooks/contexts";

interface Props {
  readonly label: string;
  readonly metrics: readonly WeeklyMetric[];
  /** The list of the view that this picker adds to. */
  readonly list: "added" | "compared";
}

const MAX_SERIES = 8;

/** Finds a metric by name or id and adds it to a chart; a native list, for accessibility. */
export function MetricPicker({ label, metrics, list }: Props) {
  const { view } = useView();
  const { change, announce } = usePage();
  const [text, setText] = useState("");
  const chosen = view[list];
  const id = `pick-${list}-${metrics[0]?.metric_family ?? ""}-${metrics[0]?.product ?? ""}`;
  const available = metrics.filter((metric) => !chosen.includes(metric.metric_id));
  const add = (): void => {
    const found = available.find((metric) => metric.metric_id === text || metric.display_name === text);
    if (found === undefined) announce(`No series named “${text}”. Select one from the list.`);
    else if (chosen.length >= MAX_SERIES) announce(`You can add up to ${MAX_SERIES} series.`);
    else {
      change({ [list]: [...chosen, found.metric_id] });
      setText("");
    }
  };
  // there can be hundreds, and they rarely change
  const options = useMemo(
    () =>
      metrics.map((metric) => (
        <option key={metric.metric_id} value={metric.metric_id}>
          {metric.display_name}
        </option>
      )),
    [metrics],
  );
  return (
    <form
      className="picker"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        list={`${id}-list`}
        value={text}
        placeholder="Name or ID"
        autoComplete="off"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <datalist id={`${id}-list`}>{options}</datalist>
      <button type="submit" className="button">
        Add
      </button>
      {chosen.length > 0 && list === "compared" && (
        <button type="button" className="button" onClick={() => change({ compared: [] })}>
          Clear
        </button>
      )}
    </form>
  );
}
