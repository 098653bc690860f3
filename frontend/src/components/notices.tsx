/** What a reader must know before the numbers: they are kept, old, partial, or the link names something else. */
import type { ReactNode } from "react";
import type { ApiResponse } from "../api/client";
import type { RunRecord, ServiceStatus, WeeklyDashboard } from "../api/types";
import { unknownIds } from "../data/groups";
import { usePage, useView } from "../hooks/contexts";
import { useResource } from "../hooks/use-resource";
import { RetryButton } from "./error-page";

interface Props {
  readonly response: ApiResponse<WeeklyDashboard>;
  readonly status: ServiceStatus | null;
  readonly invalidParameters: readonly string[];
}

export function Notices({ response, status, invalidParameters }: Props) {
  const { view } = useView();
  return (
    <div className="notices">
      <OutageNotice response={response} />
      <StaleNotice dashboard={response.body} />
      <LastRunNotice status={status} />
      {unknownIds(response.body, view).map((id) => (
        <UnknownMetricNotice key={id} id={id} />
      ))}
      {invalidParameters.length > 0 && (
        <Notice tone="info" title="Part of this link could not be read">
          The usual is shown instead of {invalidParameters.join("; ")}.
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
      <span className="notice-sign" aria-hidden="true">
        {ICONS[tone]}
      </span>
      <div>
        <strong>{title}.</strong> {children}
      </div>
    </div>
  );
}

function OutageNotice({ response }: { readonly response: ApiResponse<WeeklyDashboard> }) {
  const { format, now } = usePage();
  if (response.problem !== null) {
    return (
      <Notice tone="bad" title={response.problem.message.replace(/\.$/, "")}>
        These are the last good numbers, kept in this browser {format.age(response.receivedAt, now)}.{" "}
        <RetryButton />
      </Notice>
    );
  }
  const { freshness } = response.body;
  if (freshness.storage_reachable) return null;
  const since = freshness.data_as_of == null ? "" : `, as of ${format.age(freshness.data_as_of, now)}`;
  return (
    <Notice tone="bad" title="The database does not response">
      The API tells the last good numbers{since}. <RetryButton />
    </Notice>
  );
}

function StaleNotice({ dashboard }: { readonly dashboard: WeeklyDashboard }) {
  const { format, now } = usePage();
  const { is_stale, last_success_at } = dashboard.freshness;
  if (!is_stale) return null;
  const since = last_success_at && format.age(last_success_at, now);
  return (
    <Notice tone="warn" title="The data are stale">
      {since
        ? `The last complete refresh was ${since}.`
        : "No refresh has succeeded yet; what is here comes from files."}{" "}
      <code>community-metrics refresh</code> brings newer ones.
    </Notice>
  );
}

function LastRunNotice({ status }: { readonly status: ServiceStatus | null }) {
  const { format, now } = usePage();
  const last = status?.runs.find((run) => run.state !== "running");
  if (!last || last.state === "success") return null;
  const errors = last.error_summary?.split("\n").filter((line) => line !== "") ?? [];
  return (
    <Notice tone="warn" title={RUN_TITLES[last.state]}>
      {last.job_name}, {format.age(last.started_at, now)}. The other numbers are stored; missing days are
      asked for again with the next run.
      {errors.length > 0 && (
        <details>
          <summary>What failed</summary>
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

const RUN_TITLES: Readonly<Record<RunRecord["state"], string>> = {
  running: "A run is under way",
  success: "The last run went well",
  partial: "The last run was partial",
  failed: "The last run failed",
  abandoned: "The last run never ended",
};

function UnknownMetricNotice({ id }: { readonly id: string }) {
  const { view } = useView();
  const { change } = usePage();
  const lookup = useResource(`/dashboard/weekly?weeks=1&metric_id=${encodeURIComponent(id)}`);
  const near = lookup.phase === "failed" ? lookup.problem.suggestions : [];
  const replaced = (ids: readonly string[], by: readonly string[]) =>
    ids.includes(id) ? [...ids.filter((one) => one !== id), ...by] : ids;
  const replaceWith = (by: readonly string[]) => () =>
    change({
      hidden: replaced(view.hidden, []),
      added: replaced(view.added, by),
      compared: replaced(view.compared, by),
    });
  return (
    <Notice tone="info" title={`This link names ${id}, which is not collected here`}>
      {near.length > 0 && "Did you mean "}
      {near.map((one) => (
        <button type="button" className="link" key={one} onClick={replaceWith([one])}>
          {one}
        </button>
      ))}
      <button type="button" className="link" onClick={replaceWith([])}>
        Leave it out
      </button>
    </Notice>
  );
}
