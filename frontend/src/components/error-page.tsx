import { useState } from "react";
import { API_BASE_URL, apiUrl } from "../api/client";
import type { ApiProblem, ProblemKind } from "../api/problems";
import { refreshAll } from "../api/resource";

const TITLES: Readonly<Record<ProblemKind, string>> = {
  unreachable: "The API cannot be reached",
  "too-slow": "The API does not answer",
  "not-ready": "There are no data yet",
  unknown: "This is not collected",
  "token-required": "This API asks for a token",
  failed: "The API has a problem",
};

const HINTS: Readonly<Record<ProblemKind, string>> = {
  unreachable:
    "Nothing was kept in this browser from an earlier visit. Check that the API runs and that CM_CORS_ORIGINS names this page's address.",
  "too-slow":
    "Nothing was kept in this browser from an earlier visit. It may be starting; try again in a moment.",
  "not-ready": "",
  unknown: "The link may come from another catalogue.",
  "token-required":
    "A browser cannot keep a token. The dashboard needs an API without CM_API_TOKEN_HASHES; tokens are for servers.",
  failed: "Its operator finds the reason in the log of the API.",
};

/** The page without any numbers: what is wrong, and what mends it. */
export function ErrorPage({ problem }: { readonly problem: ApiProblem }) {
  if (problem.kind === "not-ready") return <EmptyPage command="community-metrics seed" />;
  return (
    <section className="state" role="alert">
      <h2>{TITLES[problem.kind]}</h2>
      <p>{NO_RESPONSE.has(problem.kind) ? <NoResponse /> : problem.message}</p>
      <p className="muted">{HINTS[problem.kind]}</p>
      <p>
        <RetryButton />{" "}
        <a className="button" href={`${API_BASE_URL}/api/v1/docs`}>
          Open the API's own page
        </a>
      </p>
    </section>
  );
}

/** Kinds of which there is nothing to tell but whom the page has asked. */
const NO_RESPONSE: ReadonlySet<ProblemKind> = new Set(["unreachable", "too-slow"]);

function NoResponse() {
  return (
    <>
      No answer came from <code>{apiUrl("", API_BASE_URL || location.origin)}</code>.
    </>
  );
}

/** A fresh installation: says which command fills it. */
export function EmptyPage({ command }: { readonly command: string }) {
  return (
    <section className="state">
      <h2>No data yet</h2>
      <p>The database is empty. On the machine where community-metrics runs:</p>
      <pre>
        <code>{`${command}\ncommunity-metrics refresh`}</code>
      </pre>
      <p className="muted">
        The first loads the published history, the second asks the registries. Then come back: this page asks
        again by itself every five minutes.
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
      {isLoading ? "Asking…" : "Try again"}
    </button>
  );
}
