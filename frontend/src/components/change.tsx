import type { Change as ChangeBody } from "../api/types";
import { usePage } from "../hooks/contexts";

interface Props {
  readonly change: ChangeBody | null;
  /** What the change is from, if not from the period before. */
  readonly basis?: string | null;
}

/** A change with an arrow, a sign and a colour, so that it does not depend on colour; a dash without one. */
export function Change({ change, basis = null }: Props) {
  const { format } = usePage();
  if (change === null) {
    return (
      <span
        className="change is-none"
        title="Not available: one of the two periods is incomplete, or the earlier value is 0"
      >
        <span aria-hidden="true">—</span>
        <span className="visually-hidden">not available</span>
      </span>
    );
  }
  const direction = Math.sign(change.absolute);
  const [tone, arrow] = direction > 0 ? ["is-up", "▲"] : direction < 0 ? ["is-down", "▼"] : ["is-same", "="];
  const absolute = `${direction > 0 ? "+" : ""}${format.count(change.absolute)}`;
  return (
    <span className={`change ${tone}`} title={absolute}>
      <span aria-hidden="true">{arrow}</span> {format.change(change)}
      {basis !== null && <span className="muted"> {basis}</span>}
    </span>
  );
}
