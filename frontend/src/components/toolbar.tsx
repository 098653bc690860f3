import { useState } from "react";
import { usePage, useView } from "../hooks/contexts";
import { isDay } from "../view/url";
import { GRAINS, isSameRange, RANGES, type Range, SCALES, SUMS, UNITS } from "../view/view";

const LABELS: Readonly<Record<string, string>> = {
  day: "Day",
  week: "Week",
  month: "Month",
  "12w": "12 weeks",
  "1y": "1 year",
  all: "All",
  period: "Per period",
  cumulative: "Cumulative",
  linear: "Linear",
  log: "Log",
  absolute: "Absolute",
  indexed: "Indexed to 100",
};

/** The options of all charts. Each change is in the URL, and Undo reverts it. */
export function Toolbar() {
  const { view, undo } = useView();
  const { change } = usePage();
  return (
    <div className="toolbar">
      <ButtonGroup
        name="Interval"
        options={GRAINS}
        selected={view.grain}
        onSelect={(grain) => change({ grain })}
      />
      <RangePicker />
      <ButtonGroup
        name="Aggregation"
        options={SUMS}
        selected={view.sum}
        onSelect={(sum) => change({ sum })}
      />
      <ButtonGroup
        name="Scale"
        options={SCALES}
        selected={view.scale}
        onSelect={(scale) => change({ scale })}
      />
      <ButtonGroup name="Values" options={UNITS} selected={view.unit} onSelect={(unit) => change({ unit })} />
      <button type="button" className="button" aria-disabled={undo === null} onClick={() => undo?.()}>
        <span aria-hidden="true">↶</span> Undo
      </button>
    </div>
  );
}

interface ButtonGroupProps<T extends string> {
  readonly name: string;
  readonly options: readonly T[];
  readonly selected: T | null;
  readonly onSelect: (option: T) => void;
}

function ButtonGroup<T extends string>({ name, options, selected, onSelect }: ButtonGroupProps<T>) {
  return (
    <fieldset className="choice">
      <legend className="visually-hidden">{name}</legend>
      {options.map((option) => (
        <button
          key={option}
          type="button"
          aria-pressed={option === selected}
          onClick={() => onSelect(option)}
        >
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
        <legend className="visually-hidden">Range</legend>
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
          Custom…
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
    if (!isDay(from) || !isDay(to) || from > to) announce("Enter a start date on or before the end date.");
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
        To <input type="date" value={to} onInput={(event) => setTo(event.currentTarget.value)} />
      </label>
      <button type="submit" className="button">
        Apply
      </button>
    </form>
  );
}
