/** Errors of requests to the API. The page has a title and a hint for each kind. */
import type { ProblemBody } from "./types";

export type ProblemKind =
  | "unreachable" // no response: the API or the network is down, or CORS rejects this page
  | "timeout"
  | "not-ready" // the database has no tables yet
  | "not-found" // the catalogue does not have this product or metric
  | "token-required"
  | "busy" // the API handles as many requests as it can, or this one took too long
  | "not-frozen" // the page has no server, and the answer is not among its files
  | "malformed" // a 200 whose body this page cannot read
  | "failed"; // any other response that is not a 200

export class ApiProblem extends Error {
  override readonly name = "ApiProblem";

  constructor(
    readonly kind: ProblemKind,
    message: string,
    /** Known ids similar to the requested one. */
    readonly suggestions: readonly string[] = [],
  ) {
    super(message);
  }
}

const KINDS: Readonly<Record<string, ProblemKind>> = {
  "storage-not-ready": "not-ready",
  "unknown-metric": "not-found",
  "unknown-product": "not-found",
  "unknown-event": "not-found",
  "token-required": "token-required",
  busy: "busy",
  "took-too-long": "busy",
};

/** Returns the problem of a response other than 200; the body may come from a proxy. */
export async function problemFrom(response: Response): Promise<ApiProblem> {
  const body = await response
    .json()
    .then((parsed: unknown) => parsed)
    .catch(() => null);
  return problemOf(body, `The API returned ${response.status} ${response.statusText}`.trimEnd());
}

/** Returns the problem that a body states, or `message` where it states none. */
export function problemOf(sent: unknown, message: string): ApiProblem {
  const body = sent as Partial<ProblemBody> | null;
  const slug = body?.type?.split("#").at(-1) ?? "";
  return new ApiProblem(KINDS[slug] ?? "failed", body?.detail ?? message, body?.near ?? []);
}

/** Returns what the page says of an action that failed: a request, code that did not load, or the browser. */
export function failureText(error: unknown): string {
  return `That did not work: ${error instanceof Error ? error.message : String(error)}`;
}
