import { useMemo, useState } from "react";
import type { WeeklyMetric } from "../api/types";
import { usePage, useView } from "../hooks/contexts";

interface Props {
  readonly label: string;
  readonly metrics: readonly WeeklyMetric[];
  /** Which list of the view it fills. */
  readonly list: "added" | "compared";
}

const MAX_SERIES = 8;

/** Finds a metric by name or id and puts it into a chart; a native list, since that is what everybody can use. */
export function MetricPicker({ label, metrics, list }: Props) {
  const { view } = useView();
  const { change, announce } = usePage();
  const [text, setText] = useState("");
  const chosen = view[list];
  const id = `pick-${list}-${metrics[0]?.metric_family ?? ""}-${metrics[0]?.product ?? ""}`;
  const left = metrics.filter((metric) => !chosen.includes(metric.metric_id));
  const add = (): void => {
    const found = left.find((metric) => metric.metric_id === text || metric.display_name === text);
    if (found === undefined) announce(`There is no series called “${text}”; choose one of the list.`);
    else if (chosen.length >= MAX_SERIES) announce(`At most ${MAX_SERIES} series can be added.`);
    else {
      change({ [list]: [...chosen, found.metric_id] });
      setText("");
    }
  };
  // hundreds of them, and the same whatever else changes on the page
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
        placeholder="Name or id"
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
