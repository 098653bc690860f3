import { useState } from "react";
import { API_BASE_URL, apiUrl } from "../api/client";
import { IS_FROZEN } from "../api/frozen";
import type { ApiProblem, ProblemKind } from "../api/problems";
import { refreshAll } from "../api/resource";
import { usePage } from "../hooks/contexts";

const TITLES: Readonly<Record<ProblemKind, string>> = {
  unreachable: "Cannot reach the API",
  timeout: "The API did not respond",
  "not-ready": "No data yet",
  "not-found": "Not found",
  "token-required": "This API requires a token",
  busy: "The API is busy",
  "not-frozen": "Not in this copy",
  malformed: "Cannot read the API's response",
  failed: "The API returned an error",
};

const HINTS: Readonly<Record<ProblemKind, string>> = {
  unreachable:
    "This browser has no saved data. Fix: check that the API is running and that CM_CORS_ORIGINS (in a deployment: dashboard_origins) includes this page's origin.",
  timeout: "This browser has no saved data. The API may still be starting. Try again in a moment.",
  "not-ready": "",
  "not-found": "The link may belong to another catalogue.",
  "token-required":
    "The dashboard cannot send a token. Fix: unset CM_API_TOKEN_HASHES, or use an API without it.",
  busy: "",
  "not-frozen": "It has only some weeks. Fix: open the newest one.",
  malformed: "Fix: reload the page. If that does not help, install one version of the page and the API.",
  failed: "Fix: check the API's log for the cause.",
};

/** The page without data: the error and its fix. */
export function ErrorPage({ problem }: { readonly problem: ApiProblem }) {
  if (problem.kind === "not-ready") return <EmptyPage command="community-metrics seed" />;
  return (
    <section className="state" role="alert">
      <h2>{TITLES[problem.kind]}</h2>
      <p>{NO_RESPONSE.has(problem.kind) ? <NoResponse /> : problem.message}</p>
      <p className="muted">{HINTS[problem.kind]}</p>
      <p>{IS_FROZEN ? <NewestWeekButton /> : <RetryOrDocs />}</p>
    </section>
  );
}

function RetryOrDocs() {
  return (
    <>
      <RetryButton />{" "}
      <a className="button" href={`${API_BASE_URL}/api/v1/docs`}>
        Open API docs
      </a>
    </>
  );
}

function NewestWeekButton() {
  const { change } = usePage();
  return (
    <button type="button" className="button primary" onClick={() => change({ week: null })}>
      Open the newest week
    </button>
  );
}

/** Problems without a response; the page shows the API's URL instead of a message. */
const NO_RESPONSE: ReadonlySet<ProblemKind> = new Set(["unreachable", "timeout"]);

function NoResponse() {
  return (
    <>
      No response from <code>{apiUrl("", API_BASE_URL || location.origin)}</code>.
    </>
  );
}

/** The page of an empty database: the commands that fill it. */
export function EmptyPage({ command }: { readonly command: string }) {
  return (
    <section className="state">
      <h2>No data yet</h2>
      <p>The database is empty. Run these commands on the machine that runs community-metrics:</p>
      <pre>
        <code>{`${command}\ncommunity-metrics refresh`}</code>
      </pre>
      <p className="muted">
        The first command loads the published history; the second fetches new data from the registries. This
        page refreshes every five minutes. To look around first, run{" "}
        <code className="is-nowrap">community-metrics demo</code>: two years of sample data, without network.
      </p>
      <RetryButton />
    </section>
  );
}

export function RetryButton() {
  const [isLoading, setLoading] = useState(false);
  const retry = (): void => {
    setLoading(true);
    void refreshAll().finally(() => setLoading(false));
  };
  return (
    <button type="button" className="button primary" onClick={retry} aria-disabled={isLoading}>
      {isLoading ? "Loading…" : "Try again"}
    </button>
  );
}
