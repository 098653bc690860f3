import { useState } from "react";
import { usePage, useView } from "../hooks/contexts";
import { isDay } from "../view/url";
import { GRAINS, isSameRange, RANGES, type Range, SCALES, SUMS, UNITS } from "../view/view";

const LABELS: Readonly<Record<string, string>> = {
  day: "Day",
  week: "Week",
  month: "Month",
  "12w": "12 weeks",
  "1y": "Year",
  all: "All",
  period: "Per period",
  cumulative: "Cumulative",
  linear: "Linear",
  log: "Log",
  absolute: "Absolute",
  indexed: "Indexed to 100",
};

/** How all charts are drawn; every choice stands in the address and is one step that Undo takes back. */
export function Toolbar() {
  const { view, undo } = useView();
  const { change } = usePage();
  return (
    <div className="toolbar">
      <ButtonGroup name="By" options={GRAINS} chosen={view.grain} choose={(grain) => change({ grain })} />
      <RangePicker />
      <ButtonGroup name="Sum" options={SUMS} chosen={view.sum} choose={(sum) => change({ sum })} />
      <ButtonGroup name="Scale" options={SCALES} chosen={view.scale} choose={(scale) => change({ scale })} />
      <ButtonGroup name="Unit" options={UNITS} chosen={view.unit} choose={(unit) => change({ unit })} />
      <button type="button" className="button" aria-disabled={undo === null} onClick={() => undo?.()}>
        <span aria-hidden="true">↶</span> Undo
      </button>
    </div>
  );
}

interface ButtonGroupProps<T extends string> {
  readonly name: string;
  readonly options: readonly T[];
  readonly chosen: T | null;
  readonly choose: (option: T) => void;
}

function ButtonGroup<T extends string>({ name, options, chosen, choose }: ButtonGroupProps<T>) {
  return (
    <fieldset className="choice">
      <legend className="vh">{name}</legend>
      {options.map((option) => (
        <button key={option} type="button" aria-pressed={option === chosen} onClick={() => choose(option)}>
          {LABELS[option] ?? option}
        </button>
      ))}
    </fieldset>
  );
}

function RangePicker() {
  const { view } = useView();
  const { change } = usePage();
  const custom = typeof view.range === "string" ? null : view.range;
  const named = RANGES.find((range) => isSameRange(range, view.range)) ?? null;
  const [isOpen, setOpen] = useState(custom !== null);
  return (
    <>
      <fieldset className="choice">
        <legend className="vh">Range</legend>
        {RANGES.map((range) => (
          <button
            key={range}
            type="button"
            aria-pressed={range === named}
            onClick={() => {
              setOpen(false);
              change({ range });
            }}
          >
            {LABELS[range]}
          </button>
        ))}
        <button
          type="button"
          aria-pressed={named === null}
          aria-expanded={isOpen || custom !== null}
          onClick={() => setOpen(!isOpen)}
        >
          Dates…
        </button>
      </fieldset>
      {(isOpen || custom !== null) && (
        <CustomDates key={custom ? `${custom.from}${custom.to}` : ""} range={custom} />
      )}
    </>
  );
}

function CustomDates({ range }: { readonly range: Exclude<Range, string> | null }) {
  const { change, announce } = usePage();
  const [from, setFrom] = useState(range?.from ?? "");
  const [to, setTo] = useState(range?.to ?? "");
  const apply = (): void => {
    if (!isDay(from) || !isDay(to) || from > to) announce("Give a first day and a last day, in this order.");
    else change({ range: { from, to } });
  };
  return (
    <form
      className="dates"
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <label>
        From <input type="date" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <label>
        to <input type="date" value={to} onInput={(event) => setTo(event.currentTarget.value)} />
      </label>
      <button type="submit" className="button">
        Show
      </button>
    </form>
  );
}
