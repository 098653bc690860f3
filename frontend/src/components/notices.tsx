/** What a reader must know before the numbers: they are kept, old, partial, or the link names something else. */
import type { ReactNode } from "react";
import type { Answer } from "../api/client";
import type { RunRecord, ServiceStatus, WeeklyDashboard } from "../api/types";
import { unknownIds } from "../data/groups";
import { useReader, useViewed } from "../hooks/contexts";
import { useResource } from "../hooks/use-resource";
import { Again } from "./error-page";

interface Props {
  readonly answer: Answer<WeeklyDashboard>;
  readonly status: ServiceStatus | null;
  readonly faults: readonly string[];
}

export function Notices({ answer, status, faults }: Props) {
  const { view } = useViewed();
  return (
    <div className="notices">
      <Kept answer={answer} />
      <Stale dashboard={answer.body} />
      <LastRun status={status} />
      {unknownIds(answer.body, view).map((id) => (
        <UnknownMetric key={id} id={id} />
      ))}
      {faults.length > 0 && (
        <Notice tone="info" title="Part of this link could not be read">
          The usual is shown instead of {faults.join("; ")}.
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

const SIGNS = { info: "i", warn: "!", bad: "×" } as const;

function Notice({ tone, title, children }: NoticeProps) {
  return (
    <div className={`notice is-${tone}`} role="status">
      <span className="notice-sign" aria-hidden="true">
        {SIGNS[tone]}
      </span>
      <div>
        <strong>{title}.</strong> {children}
      </div>
    </div>
  );
}

function Kept({ answer }: { readonly answer: Answer<WeeklyDashboard> }) {
  const { format, now } = useReader();
  if (answer.problem !== null) {
    return (
      <Notice tone="bad" title={answer.problem.message.replace(/\.$/, "")}>
        These are the last good numbers, kept in this browser {format.age(answer.receivedAt, now)}. <Again />
      </Notice>
    );
  }
  const { freshness } = answer.body;
  if (freshness.storage_reachable) return null;
  const since = freshness.data_as_of == null ? "" : `, as of ${format.age(freshness.data_as_of, now)}`;
  return (
    <Notice tone="bad" title="The database does not answer">
      The API tells the last good numbers{since}. <Again />
    </Notice>
  );
}

function Stale({ dashboard }: { readonly dashboard: WeeklyDashboard }) {
  const { format, now } = useReader();
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

function LastRun({ status }: { readonly status: ServiceStatus | null }) {
  const { format, now } = useReader();
  const last = status?.runs.find((run) => run.state !== "running");
  if (!last || last.state === "success") return null;
  const failed = last.error_summary?.split("\n").filter((line) => line !== "") ?? [];
  return (
    <Notice tone="warn" title={RUN_WORDS[last.state]}>
      {last.job_name}, {format.age(last.started_at, now)}. The other numbers are stored; missing days are
      asked for again with the next run.
      {failed.length > 0 && (
        <details>
          <summary>What failed</summary>
          <ul>
            {failed.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </details>
      )}
    </Notice>
  );
}

const RUN_WORDS: Readonly<Record<RunRecord["state"], string>> = {
  running: "A run is under way",
  success: "The last run went well",
  partial: "The last run was partial",
  failed: "The last run failed",
  abandoned: "The last run never ended",
};

function UnknownMetric({ id }: { readonly id: string }) {
  const { view } = useViewed();
  const { change } = useReader();
  const asked = useResource(`/dashboard/weekly?weeks=1&metric_id=${encodeURIComponent(id)}`);
  const near = asked.phase === "failed" ? asked.problem.near : [];
  const replaced = (ids: readonly string[], by: readonly string[]) =>
    ids.includes(id) ? [...ids.filter((one) => one !== id), ...by] : ids;
  const put = (by: readonly string[]) => () =>
    change({
      hidden: replaced(view.hidden, []),
      added: replaced(view.added, by),
      compared: replaced(view.compared, by),
    });
  return (
    <Notice tone="info" title={`This link names ${id}, which is not collected here`}>
      {near.length > 0 && "Did you mean "}
      {near.map((one) => (
        <button type="button" className="link" key={one} onClick={put([one])}>
          {one}
        </button>
      ))}
      <button type="button" className="link" onClick={put([])}>
        Leave it out
      </button>
    </Notice>
  );
}
