import { beforeAfterPath } from "../api/paths";
import type { BeforeAfter as BeforeAfterBody } from "../api/types";
import { useResource } from "../hooks/use-resource";

interface Props {
  readonly metricId: string;
  readonly name: string;
  readonly eventId: string;
}

/** A metric before and after an event, in the API's words: what happened together, not why. */
export function BeforeAfter({ metricId, name, eventId }: Props) {
  const state = useResource<BeforeAfterBody>(beforeAfterPath(metricId, eventId));
  if (state.phase === "loading") return <li className="muted">{name}: loading…</li>;
  if (state.phase === "failed")
    return (
      <li className="muted">
        {name}: {state.problem.message}
      </li>
    );
  return <li>{state.response.body.sentence}</li>;
}
