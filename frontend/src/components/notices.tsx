/** Notices above the numbers: an outage, stale data, a failed run, or an invalid link. */
import type { ReactNode } from "react";
import type { ApiResponse } from "../api/client";
import type { Overview, RunRecord, ServiceStatus, WeeklyDashboard } from "../api/types";
import { neverFetched, type SourceFreshness, staleSources } from "../data/completeness";
import { unknownIds } from "../data/groups";
import { usePage, useView } from "../hooks/contexts";
import { useResource } from "../hooks/use-resource";
import { RetryButton } from "./error-page";

interface Props {
  readonly response: ApiResponse<Overview>;
  /** Null until the series have loaded. */
  readonly dashboard: WeeklyDashboard | null;
  readonly status: ServiceStatus | null;
  readonly invalidParameters: readonly string[];
}

export function Notices({ response, dashboard, status, invalidParameters }: Props) {
  const { view } = useView();
  return (
    <div className="notices">
      {response.body.freshness.sample && (
        <Notice tone="warn" title="Sample data">
          Every number on this page is invented by <code>community-metrics demo</code>.
        </Notice>
      )}
      <OutageNotice response={response} />
      <StaleNotice overview={response.body} />
      <LastRunNotice status={status} />
      {(dashboard ? unknownIds(dashboard, view) : []).map((id) => (
        <UnknownMetricNotice key={id} id={id} />
      ))}
      {invalidParameters.length > 0 && (
        <Notice tone="info" title="Part of this link is invalid">
          Defaults are used for {invalidParameters.join("; ")}.
        </Notice>
      )}
    </div>
  );
}

interface NoticeProps {
  readonly tone: "info" | "warn" | "bad";
  readonly title: string;
  readonly children: ReactNode;
}

const ICONS = { info: "i", warn: "!", bad: "×" } as const;

function Notice({ tone, title, children }: NoticeProps) {
  return (
    <div className={`notice is-${tone}`} role="status">
      <span className="notice-icon" aria-hidden="true">
        {ICONS[tone]}
      </span>
      <div>
        <strong>{title}.</strong> {children}
      </div>
    </div>
  );
}

function OutageNotice({ response }: { readonly response: ApiResponse<Overview> }) {
  const { format, now } = usePage();
  if (response.problem !== null) {
    return (
      <Notice tone="bad" title={response.problem.message.replace(/\.$/, "")}>
        Showing data saved in this browser {format.age(response.receivedAt, now)}. <RetryButton />
      </Notice>
    );
  }
  const { freshness } = response.body;
  if (freshness.storage_reachable) return null;
  const age = freshness.data_as_of == null ? "" : ` from ${format.age(freshness.data_as_of, now)}`;
  return (
    <Notice tone="bad" title="The database is not responding">
      Showing the last data{age}. <RetryButton />
    </Notice>
  );
}

function StaleNotice({ overview }: { readonly overview: Overview }) {
  const { format, now } = usePage();
  const { freshness } = overview;
  const stale = staleSources(freshness, now);
  const missing = neverFetched(freshness);
  if (stale.length === 0 && missing.length === 0) return null;
  const nothing = missing.length === freshness.sources.length;
  const sentences = byNewestDay(stale).map(
    ([day, names]) =>
      `${names.join(", ")} ${names.length === 1 ? "has" : "have"} no day after ${format.day(day)}, which was ${format.dayAge(day, now)}.`,
  );
  if (nothing) sentences.push("This data comes from seed files.");
  else if (missing.length > 0) sentences.push(`Nothing has been fetched from ${missing.join(", ")} yet.`);
  return (
    <Notice tone="warn" title={staleTitle(stale.length > 0, nothing)}>
      {sentences.join(" ")} Fix: run <code>community-metrics refresh</code>.
    </Notice>
  );
}

/** Returns the sources of each newest day, the oldest day first. */
function byNewestDay(sources: readonly SourceFreshness[]): readonly (readonly [string, readonly string[]])[] {
  const days = new Map<string, string[]>();
  for (const { source, newest_day } of sources)
    if (newest_day !== null) days.set(newest_day, [...(days.get(newest_day) ?? []), source]);
  return [...days].sort(([a], [b]) => a.localeCompare(b));
}

function staleTitle(isStale: boolean, nothing: boolean): string {
  if (isStale) return "Data is stale";
  return nothing ? "Nothing has been fetched yet" : "A source has no data yet";
}

function LastRunNotice({ status }: { readonly status: ServiceStatus | null }) {
  const { format, now } = usePage();
  const last = status?.runs.find((run) => run.state !== "running");
  if (!last || last.state === "success") return null;
  const causes = last.failures.map((failure) => failure.message);
  const errors = causes.length > 0 ? causes : [last.error_summary].filter((text) => text !== null);
  return (
    <Notice tone="warn" title={RUN_TITLES[last.state]}>
      {last.job_name} started {format.age(last.started_at, now)}. {storedText(last)}
      {errors.length > 0 && (
        <details>
          <summary>Show errors</summary>
          <ul>
            {errors.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </details>
      )}
    </Notice>
  );
}

/** Says what a run left behind; how many rows it read may be hidden. */
function storedText({ rows_inserted, rows_updated, rows_unchanged }: RunRecord): string {
  const isNothing = [rows_inserted, rows_updated, rows_unchanged].every((count) => count === 0);
  if (isNothing) return "It fetched nothing; the next run tries again.";
  return "The data it fetched is stored; the next run fetches the missing days again.";
}

const RUN_TITLES: Readonly<Record<RunRecord["state"], string>> = {
  running: "A run is in progress",
  success: "The last run succeeded",
  partial: "The last run was partial",
  failed: "The last run failed",
  abandoned: "The last run did not finish",
};

function UnknownMetricNotice({ id }: { readonly id: string }) {
  const { view } = useView();
  const { change } = usePage();
  const lookup = useResource(`/dashboard/weekly?weeks=1&metric_id=${encodeURIComponent(id)}`);
  // it exists, though no list has it: a metric of others, or one that is no longer collected
  if (lookup.phase !== "failed") return null;
  const { suggestions } = lookup.problem;
  const replaced = (ids: readonly string[], by: readonly string[]) =>
    ids.includes(id) ? [...ids.filter((other) => other !== id), ...by] : ids;
  const replaceWith = (by: readonly string[]) => () =>
    change({
      hidden: replaced(view.hidden, []),
      added: replaced(view.added, by),
      compared: replaced(view.compared, by),
    });
  return (
    <Notice tone="info" title={`Unknown metric: ${id}`}>
      {suggestions.length > 0 && "Did you mean: "}
      {suggestions.map((suggestion) => (
        <button type="button" className="link" key={suggestion} onClick={replaceWith([suggestion])}>
          {suggestion}
        </button>
      ))}
      <button type="button" className="link" onClick={replaceWith([])}>
        Remove it from this view
      </button>
    </Notice>
  );
}
