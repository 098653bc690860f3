/** What is wrong with the data, in one short sentence each; nothing where all is good. */
import type { ServiceStatus } from "../api/types";
import { neverFetched, staleSources } from "./completeness";

type RunState = ServiceStatus["runs"][number]["state"];
/** What the state of the last run that has ended means; null where that is good. */
const RUN_SENTENCES: Readonly<Record<RunState, string | null>> = {
  running: null,
  success: null,
  partial: "the last run was partial",
  failed: "the last run failed",
  abandoned: "the last run did not finish",
};

/** Returns the loss that comes first of what is not lost yet; null where every source keeps its values. */
export function nextLoss({ losses }: Pick<ServiceStatus, "losses">): ServiceStatus["losses"][number] | null {
  return losses[0] ?? null;
}

/** Returns one sentence for each kind of exception over all series, sources, and places that state events. */
export function exceptions(status: ServiceStatus, now: number): readonly string[] {
  const { metrics, losses, places } = status;
  const failed = metrics.filter((metric) => metric.last_error !== null).length;
  const lacking = metrics.filter((metric) => metric.missing_days.length > 0).length;
  const unread = metrics.filter((metric) => metric.newest_day === null).length;
  const lost = losses.filter((loss) => loss.lost_days.length > 0).length;
  const found: readonly (readonly [number, string])[] = [
    [failed, "with an error in the last run"],
    [lacking, "with missing days"],
    [unread, "never read"],
    [lost, "with days lost for good"],
  ];
  const unreadable = places.filter((place) => place.last_error !== null).length;
  const ofPlaces = `${unreadable} ${unreadable === 1 ? "place" : "places"} of events with an error`;
  return [
    ...found.flatMap(([count, text]) => (count === 0 ? [] : [`${count} series ${text}`])),
    ...(unreadable === 0 ? [] : [ofPlaces]),
    ...ofSources(status.freshness, now),
    ...ofRuns(status.runs),
  ];
}

function ofSources(freshness: ServiceStatus["freshness"], now: number): readonly string[] {
  const stale = staleSources(freshness, now).map(({ source }) => source);
  const unread = neverFetched(freshness);
  return [
    ...(stale.length === 0 ? [] : [`no new days from ${stale.join(", ")}`]),
    ...(unread.length === 0 ? [] : [`nothing fetched from ${unread.join(", ")}`]),
  ];
}

function ofRuns(runs: ServiceStatus["runs"]): readonly string[] {
  const last = runs.find((run) => run.state !== "running");
  const sentence = last ? RUN_SENTENCES[last.state] : "no run has ended yet";
  return sentence === null ? [] : [sentence];
}
