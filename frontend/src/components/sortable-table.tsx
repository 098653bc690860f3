import { type ReactNode, useMemo, useState } from "react";
import { sortRows } from "../data/sort";
import { usePage, useView } from "../hooks/contexts";
import { useDeferred } from "../hooks/use-deferred";
import type { Sort } from "../view/view";

export interface Column<T> {
  /** Letters and digits; part of the URL. */
  readonly key: string;
  readonly title: string;
  readonly isNumber?: boolean;
  /** Whether cells stay on one line. */
  readonly noWrap?: boolean;
  /** The value to sort by; null is last in both directions. */
  readonly sortValue: (row: T) => string | number | null;
  readonly cell: (row: T) => ReactNode;
}

interface Props<T> {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  /** The initial order; must be the same object on every render. */
  readonly initial?: Sort;
}

/** Number of rows before the user expands the table: ten years have 3,653 days. */
const MAX_ROWS = 30;

/** A table whose order is in the URL; the first column has the row headers. */
export function SortableTable<T>({ id, caption, columns, rows, rowKey, initial }: Props<T>) {
  const { view } = useView();
  const { change, format, now } = usePage();
  const [isExpanded, setExpanded] = useState(false);
  const sort = view.sorts[id] ?? initial;
  const sortBy = (column: string): void => {
    const descending = sort?.column === column ? !sort.descending : true;
    change({ sorts: { ...view.sorts, [id]: { column, descending } } });
  };
  const order = useDeferred(sort);
  // columns depend only on format, now and rows, so the order of another table does not render this one again
  const body = useMemo(() => {
    const sorted = order ? sortRows(rows, columns, order) : rows;
    const visible = isExpanded ? sorted : sorted.slice(0, MAX_ROWS);
    return (
      <tbody>
        {visible.map((row) => (
          <tr key={rowKey(row)}>
            {columns.map((column, index) => {
              const Cell = index === 0 ? "th" : "td";
              return (
                <Cell key={column.key} scope={index === 0 ? "row" : undefined} className={cellClass(column)}>
                  {column.cell(row)}
                </Cell>
              );
            })}
          </tr>
        ))}
      </tbody>
    );
  }, [rows, order?.column, order?.descending, isExpanded, format, now]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
    <section className="table-scroll" aria-label={caption} tabIndex={0}>
      <table className="sortable">
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ key, title, isNumber }) => (
              <th
                key={key}
                scope="col"
                className={isNumber ? "is-number" : undefined}
                aria-sort={ariaSort(sort, key)}
              >
                <button type="button" onClick={() => sortBy(key)}>
                  {title}
                  <SortIcon sort={sort} column={key} />
                </button>
              </th>
            ))}
          </tr>
        </thead>
        {body}
      </table>
      {!isExpanded && rows.length > MAX_ROWS && (
        <button type="button" className="button" onClick={() => setExpanded(true)}>
          Show all {rows.length} rows
        </button>
      )}
    </section>
  );
}

function cellClass({ isNumber, noWrap }: Pick<Column<never>, "isNumber" | "noWrap">): string | undefined {
  if (isNumber) return "is-number";
  return noWrap ? "is-nowrap" : undefined;
}

export function SortIcon({ sort, column }: { readonly sort: Sort | undefined; readonly column: string }) {
  return (
    <span className="sort-icon" aria-hidden="true">
      {sort?.column === column ? (sort.descending ? "↓" : "↑") : "↕"}
    </span>
  );
}

export function ariaSort(sort: Sort | undefined, key: string): "ascending" | "descending" | "none" {
  if (sort?.column !== key) return "none";
  return sort.descending ? "descending" : "ascending";
}
