import type { Change as ChangeBody } from "../api/types";
import { usePage } from "../hooks/contexts";

/** A change with arrow, sign and colour, so that none of the three has to be seen; a dash where none can be said. */
export function Change({ change }: { readonly change: ChangeBody | null }) {
  const { format } = usePage();
  if (change === null) {
    return (
      <span className="change is-none" title="One of the two periods is not complete, or the base is 0">
        <span aria-hidden="true">—</span>
        <span className="vh">no change can be said</span>
      </span>
    );
  }
  const way = Math.sign(change.absolute);
  const [tone, arrow] = way > 0 ? ["is-up", "▲"] : way < 0 ? ["is-down", "▼"] : ["is-same", "="];
  const absolute = `${way > 0 ? "+" : ""}${format.count(change.absolute)}`;
  return (
    <span className={`change ${tone}`} title={absolute}>
      <span aria-hidden="true">{arrow}</span> {format.change(change)}
    </span>
  );
}
