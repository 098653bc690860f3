import type { Change as ChangeBody } from "../api/types";
import { changeTone, HUGE, LOUD } from "../format/format";
import { usePage } from "../hooks/contexts";

interface Props {
  readonly change: ChangeBody | null;
  /** Why there is none. */
  readonly reason?: string;
  /** Whether it is beside a sentence of the API, whose digits it has. */
  readonly isExact?: boolean;
}

/** A change with its sign, as loud as it is large; a dash without one. */
export function Change({
  change,
  reason = "Not available: one of the two periods is incomplete",
  isExact = false,
}: Props) {
  const { format } = usePage();
  if (change === null)
    return (
      <span className="change" title={reason}>
        <span aria-hidden="true">—</span>
        <span className="visually-hidden">not available</span>
      </span>
    );
  return (
    <span className={changeClass(change)} title={format.signedCount(change.absolute)}>
      {isExact ? format.exactChange(change) : format.change(change)}
    </span>
  );
}

function changeClass(change: ChangeBody): string {
  const size = Math.abs(change.fraction);
  const weight = size < LOUD ? "" : size < HUGE ? " is-loud" : " is-loud is-huge";
  return `change is-${changeTone(change)}${weight}`;
}
