/** What can go wrong between this page and the API, as one class with a kind that the page has words for. */
import type { ProblemBody } from "./types";

export type ProblemKind =
  | "unreachable" // no answer at all: the API is down, the network is, or CORS refuses this page
  | "too-slow" // no answer within the time limit
  | "not-ready" // the tables are missing: nobody has filled the database yet
  | "unknown" // a product or metric that is not collected
  | "token-required"
  | "failed"; // any other answer that is not a 200

export class ApiProblem extends Error {
  override readonly name = "ApiProblem";

  constructor(
    readonly kind: ProblemKind,
    message: string,
    /** Ids that look like the one asked for. */
    readonly suggestions: readonly string[] = [],
  ) {
    super(message);
  }
}

const KINDS: Readonly<Record<string, ProblemKind>> = {
  "storage-not-ready": "not-ready",
  "unknown-metric": "unknown",
  "unknown-product": "unknown",
  "token-required": "token-required",
};

/** Returns the problem that an answer other than 200 tells; its body may be none of ours (a proxy's page). */
export async function problemFrom(response: Response): Promise<ApiProblem> {
  const body = await response
    .json()
    .then((parsed: Partial<ProblemBody> | null) => parsed)
    .catch(() => null);
  const slug = body?.type?.split("#").at(-1) ?? "";
  const message = body?.detail ?? `The API answered ${response.status} ${response.statusText}`.trimEnd();
  return new ApiProblem(KINDS[slug] ?? "failed", message, body?.near ?? []);
}
