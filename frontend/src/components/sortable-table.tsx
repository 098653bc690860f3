import { type ReactNode, useMemo, useState } from "react";
import { usePage, useView } from "../hooks/contexts";
import { useDeferred } from "../hooks/use-deferred";
import type { Sort } from "../view/view";

export interface Column<T> {
  /** Letters and digits; stands in the address. */
  readonly key: string;
  readonly title: string;
  readonly isNumber?: boolean;
  /** Never broken over two lines. */
  readonly noWrap?: boolean;
  /** What the column is sorted by; null goes last either way. */
  readonly sortValue: (row: T) => string | number | null;
  readonly cell: (row: T) => ReactNode;
}

interface Props<T> {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  /** The order at first; the same object every time. */
  readonly initial?: Sort;
}

/** A table shows this many rows until a reader asks for all: ten years of days are 3,653. */
const MAX_ROWS = 30;

/** A table whose order stands in the address; the first column names its rows. */
export function SortableTable<T>({ id, caption, columns, rows, rowKey, initial }: Props<T>) {
  const { view } = useView();
  const { change, format, now } = usePage();
  const [isExpanded, setExpanded] = useState(false);
  const sort = view.sorts[id] ?? initial;
  const choose = (column: string): void => {
    const descending = sort?.column === column ? !sort.descending : true;
    change({ sorts: { ...view.sorts, [id]: { column, descending } } });
  };
  const order = useDeferred(sort);
  // the columns are functions of these and of the rows; an order of another table is no reason to render this one
  const body = useMemo(() => {
    const sorted = order ? sortRows(rows, columns, order) : rows;
    const shown = isExpanded ? sorted : sorted.slice(0, MAX_ROWS);
    return (
      <tbody>
        {shown.map((row) => (
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
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table-scroll" aria-label={caption} tabIndex={0}>
      <table className="sortable">
        <caption className="vh">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ key, title, isNumber }) => (
              <th
                key={key}
                scope="col"
                className={isNumber ? "is-number" : undefined}
                aria-sort={ariaSort(sort, key)}
              >
                <button type="button" onClick={() => choose(key)}>
                  {title}
                  <span className="sort-sign" aria-hidden="true">
                    {sort?.column === key ? (sort.descending ? "↓" : "↑") : "↕"}
                  </span>
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

function ariaSort(sort: Sort | undefined, key: string): "ascending" | "descending" | "none" {
  if (sort?.column !== key) return "none";
  return sort.descending ? "descending" : "ascending";
}

/** Returns the rows in the order of a column; what is not known goes last, whichever way. */
export function sortRows<T>(
  rows: readonly T[],
  columns: readonly Pick<Column<T>, "key" | "sortValue">[],
  sort: Sort,
): readonly T[] {
  const by = columns.find((column) => column.key === sort.column)?.sortValue;
  if (by === undefined) return rows;
  const sign = sort.descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [one, other] = [by(a), by(b)];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return one === other ? 0 : sign * (one < other ? -1 : 1);
  });
}
