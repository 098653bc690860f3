/**
 * Converts a dashboard from columns to one object for each point.
 *
 * The API sends the periods once, and for each metric a list per field, or a single item that all periods share.
 */
import { ApiProblem } from "./problems";
import type { Dashboard, PointColumns, SentDashboard } from "./types";

/** Every field of a point but its period; `true` for one that is always a list. */
const FIELDS: Readonly<Record<keyof PointColumns, boolean>> = {
  value: true,
  days_present: false,
  days_expected: false,
  complete: false,
  estimated: false,
  fallback_id: false,
  provenance: false,
  status: false,
  restated: false,
  observed_at: false,
  duplicated: false,
  reset: false,
};

type Row = Record<string, unknown>;

/**
 * Returns a dashboard with its points as objects.
 *
 * @throws ApiProblem if a list is missing, or does not have an item for each period.
 */
export function inRows({ periods, ...sent }: SentDashboard): Dashboard {
  const rows = periodRows(periods);
  const products = sent.products.map((product) => ({
    ...product,
    metrics: product.metrics.map((metric) => ({
      ...metric,
      points: pointRows(metric.metric_id, metric.points, rows),
    })),
  }));
  // each field was checked against the API's types by name, and each list by its length
  return { ...sent, products } as unknown as Dashboard;
}

function periodRows(periods: SentDashboard["periods"] | undefined): readonly Row[] {
  const count = periods?.period_start?.length;
  if (periods === undefined || count === undefined) throw malformed("The dashboard has no periods.");
  const rows: Row[] = Array.from({ length: count }, () => ({}));
  for (const [name, items] of Object.entries(periods)) {
    fill(rows, name, listOf(items, count, `The list ${name} of the periods`));
  }
  return rows;
}

function pointRows(metricId: string, columns: PointColumns, periods: readonly Row[]): readonly Row[] {
  const rows = periods.map((period) => ({ ...period }));
  for (const [name, isList] of Object.entries(FIELDS)) {
    const column: unknown = columns[name as keyof PointColumns];
    const subject = `The column ${name} of ${metricId}`;
    if (column === undefined) throw malformed(`${subject} is missing.`);
    const isShared = !isList && !Array.isArray(column);
    fill(rows, name, isShared ? rows.map(() => column) : listOf(column, rows.length, subject));
  }
  return rows;
}

function fill(rows: readonly Row[], name: string, items: readonly unknown[]): void {
  rows.forEach((row, index) => {
    row[name] = items[index];
  });
}

function listOf(items: unknown, count: number, subject: string): readonly unknown[] {
  if (!Array.isArray(items)) throw malformed(`${subject} is not a list.`);
  if (items.length !== count) throw malformed(`${subject} has ${items.length} items for ${count} periods.`);
  return items;
}

function malformed(message: string): ApiProblem {
  return new ApiProblem("malformed", message);
}
