import { expect, test } from "vitest";
import type { Freshness, Overview, ProductOfWeek, ServiceStatus } from "../api/types";
import { isEmpty, neverFetched, staleSources, withValues } from "./completeness";
import { dashboard } from "./fixtures";

function serviceStatus(changes: Partial<ServiceStatus>): ServiceStatus {
  const { freshness } = dashboard();
  return {
    last_success_at: null,
    is_stale: false,
    metrics: [],
    failures: [],
    losses: [],
    places: [],
    disputes: [],
    deliveries: null,
    runs: [],
    freshness,
    ...changes,
  };
}

const RUN = { state: "failed" } as ServiceStatus["runs"][number];

function overview(...products: Partial<ProductOfWeek>[]): Overview {
  return { products } as Overview;
}

const EMPTY = { weeks: [null], estimates: [null] } as unknown as ProductOfWeek["total"];
const ZERO = { weeks: [null, 0], estimates: [null, null] } as unknown as ProductOfWeek["total"];
const ESTIMATE = { weeks: [null], estimates: [5] } as unknown as ProductOfWeek["total"];

test.each([
  { name: "without products", shown: overview(), runs: [RUN], empty: true },
  {
    name: "without values and runs",
    shown: overview({ total: EMPTY, stars: null }),
    runs: [],
    empty: true,
  },
  { name: "with a run", shown: overview({ total: EMPTY, stars: null }), runs: [RUN], empty: false },
  { name: "with a zero", shown: overview({ total: ZERO, stars: null }), runs: [], empty: false },
  { name: "with an estimate", shown: overview({ total: ESTIMATE, stars: null }), runs: [], empty: false },
  {
    name: "with stars alone",
    shown: overview({ total: null, stars: {} as ProductOfWeek["stars"] }),
    runs: [],
    empty: false,
  },
])("a database $name is empty: $empty", ({ shown, runs, empty }) => {
  expect(isEmpty(shown, serviceStatus({ runs }))).toBe(empty);
});

test("without a status nothing is known to be empty", () => {
  expect(isEmpty(overview({ total: EMPTY, stars: null }), null)).toBe(false);
});

const FRESHNESS: Freshness = {
  ...dashboard().freshness,
  sources: [
    { source: "crates", newest_day: "2026-11-22", is_stale: false, stale_from: "2026-12-03T00:00:00Z" },
    { source: "npm", newest_day: null, is_stale: false, stale_from: null },
  ],
};

function staleAt(instant: string): readonly string[] {
  return staleSources(FRESHNESS, Date.parse(instant)).map((one) => one.source);
}

test("a kept body is stale from the instant that it names", () => {
  expect(staleAt("2026-12-02T23:59:59Z")).toEqual([]);
  expect(staleAt("2026-12-03T00:00:00Z")).toEqual(["crates"]);
});

test("a source of which nothing was fetched is named, and is not stale", () => {
  expect(neverFetched(FRESHNESS)).toEqual(["npm"]);
});

test("products without a value are left out, except where none has one", () => {
  const product = (name: string, is_known: boolean) => ({ product: name, is_known });
  const overview = (...products: object[]) => ({ products }) as unknown as Overview;
  const names = (shown: Overview) => shown.products.map((row) => row.product);
  expect(names(withValues(overview(product("a", true), product("b", false))))).toEqual(["a"]);
  expect(names(withValues(overview(product("a", false), product("b", false))))).toEqual(["a", "b"]);
});
