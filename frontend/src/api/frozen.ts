/**
 * The answers of a site without a server: scripts beside the page, made by `community-metrics site`.
 *
 * They are scripts and not JSON, because a page that was opened as a file may not fetch.
 */
import type { ApiResponse } from "./client";
import { inRows } from "./columns";
import { comparisonAt } from "./comparing";
import { ApiProblem, problemOf } from "./problems";
import type { Comparable, Dashboard, SentDashboard, WeeklyDashboard } from "./types";

/** Whether this is the build that needs no server. */
export const IS_FROZEN: boolean = import.meta.env.MODE === "static";

export interface FrozenAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface FrozenSite {
  /** The end of the newest run, which every answer is of. */
  readonly as_of: string;
  readonly audience: "public" | "team";
  readonly newest_week: string;
  readonly oldest_week: string;
  /** Whether it has feeds: only a site whose address was known when it was made. */
  readonly has_feeds: boolean;
  /** The script that has the answer of a path. */
  readonly scripts: Readonly<Record<string, string>>;
  /** What the loaded scripts have added. */
  readonly answers: Readonly<Record<string, FrozenAnswer>>;
}

export type Loader = (script: string) => Promise<void>;

/** Returns what `frozen/index.js` says; null in a page with a server. */
export function frozenSite(): FrozenSite | null {
  return (globalThis as { frozenSite?: FrozenSite }).frozenSite ?? null;
}

/** Returns whether the page can show what is at a path: with a server it always asks. */
export function isAvailable(path: string): boolean {
  const site = IS_FROZEN ? frozenSite() : null;
  return site === null || frozenPaths(path).every((one) => one in site.scripts);
}

/** Returns the address of a file of the API, relative to the page: `downloads:a:b` is in `downloads~a~b`. */
export function frozenFile(path: string): string {
  return `./api/v1${path.replaceAll(":", "~")}`;
}

/**
 * Returns the frozen paths that together answer a path of the page.
 *
 * A chart's path has a number of periods and some metrics; frozen is the whole history of each metric. A
 * comparison's has some metrics; frozen is what decides on each.
 */
export function frozenPaths(path: string): readonly string[] {
  const [route = "", query = ""] = path.split("?");
  const ids = new URLSearchParams(query).getAll("metric_id");
  if (route === "/compare") return ["/compare/parts"];
  if (!route.startsWith("/dashboard/") || ids.length === 0) return [path];
  return ids.map((id) => `${route}?metric_id=${encodeURIComponent(id)}`);
}

/**
 * Returns the answer that is frozen for a path of the page.
 *
 * @throws ApiProblem if there is none, or if the API had one.
 */
export async function frozenResponse<T>(
  path: string,
  site: FrozenSite | null = frozenSite(),
  load: Loader = loadScript,
): Promise<ApiResponse<T>> {
  if (site === null) throw new ApiProblem("unreachable", "The file frozen/index.js is missing.");
  const bodies = await Promise.all(frozenPaths(path).map((one) => frozenBody(one, site, load)));
  return { body: together(path, bodies) as T, receivedAt: Date.parse(site.as_of), problem: null };
}

function together(path: string, bodies: readonly unknown[]): unknown {
  if (path.startsWith("/dashboard/")) return joined(bodies as readonly SentDashboard[]);
  return path.startsWith("/compare?") ? comparisonAt(path, bodies[0] as Comparable) : bodies[0];
}

async function frozenBody(path: string, site: FrozenSite, load: Loader): Promise<unknown> {
  const script = site.scripts[path];
  if (script === undefined) {
    throw new ApiProblem("not-frozen", "This copy of the page, which has no server, does not have it.");
  }
  if (!(path in site.answers)) await load(script);
  const answer = site.answers[path];
  if (answer === undefined) throw new ApiProblem("malformed", `The script ${script} does not have ${path}.`);
  if (answer.status !== 200) throw problemOf(answer.body, `The API returned ${answer.status}`);
  return answer.body;
}

/** Returns one dashboard of the metrics of several, which are of one instant and have the same periods. */
function joined(sent: readonly SentDashboard[]): Dashboard {
  const [first, ...others] = sent.map(inRows);
  if (first === undefined) throw new ApiProblem("malformed", "The path names no metric.");
  // all are of one grain
  const rows = [first, ...others].flatMap(({ products }) => products as WeeklyDashboard["products"]);
  const products = new Map<string, WeeklyDashboard["products"][number]>();
  for (const product of rows) {
    const metrics = [...(products.get(product.product)?.metrics ?? []), ...product.metrics];
    products.set(product.product, { ...product, metrics });
  }
  return { ...first, products: [...products.values()] } as Dashboard;
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (text: string) => string },
  ): { createScriptURL: (text: string) => string };
}

const trustedTypes = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
const policy = IS_FROZEN ? trustedTypes?.createPolicy("frozen-answers", { createScriptURL: String }) : null;
const loading = new Map<string, Promise<void>>();

/** Runs a script of the site once. */
function loadScript(script: string): Promise<void> {
  const found = loading.get(script) ?? runScript(`./frozen/${encodeURIComponent(script)}`);
  loading.set(script, found);
  return found;
}

function runScript(address: string): Promise<void> {
  return new Promise((done, fail) => {
    const element = document.createElement("script");
    element.onload = () => done();
    element.onerror = () => fail(new ApiProblem("unreachable", `The file ${address} cannot be read.`));
    element.src = policy?.createScriptURL(address) ?? address;
    document.head.append(element);
  });
}
