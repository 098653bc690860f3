import { usePage } from "../hooks/contexts";

/** The number of days, which opens into the days. */
export function DayList({ days }: { readonly days: readonly string[] }) {
  const { format } = usePage();
  if (days.length === 0) return <>0</>;
  return (
    <details className="missing-days">
      <summary>{days.length}</summary>
      {days.map((day) => format.day(day)).join(", ")}
    </details>
  );
}
