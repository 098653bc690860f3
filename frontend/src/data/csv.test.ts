import { expect, test } from "vitest";
import { DEFAULT_VIEW } from "../view/view";
import { chartData } from "./chart-data";
import { csvCell, toCsv, toWideCsv } from "./csv";
import { dashboard, metric, week } from "./fixtures";
import cells from "./spreadsheet-cells.json";

test("a CSV file has every visible point, and an empty cell for a gap", () => {
  const chart = chartData(
    dashboard(metric([week(0, 10), week(1, null), week(2, 30)])),
    ["downloads:lance:python"],
    {
      ...DEFAULT_VIEW,
      range: "all",
      sum: "cumulative",
    },
  );
  const [header, ...rows] = toCsv(chart, false).trimEnd().split("\r\n");
  expect(header).toMatch(/^metric_id,unit,period,period_start,period_end,value,displayed_value,kind,/);
  expect(rows.map((row) => row.split(",").slice(2, 8).join(","))).toEqual([
    "2026-W37,2026-09-07,2026-09-13,10,10,measured",
    "2026-W38,2026-09-14,2026-09-20,,,gap",
    "2026-W39,2026-09-21,2026-09-27,30,40,lacking",
  ]);
});

test("a wide file has one row for each period, and says of each value what kind it is", () => {
  const chart = chartData(
    dashboard(
      metric([week(0, 10), week(1, null)]),
      metric([week(0, 3, { complete: false }), week(1, 4)], { metric_id: "downloads:lance:rust" }),
    ),
    ["downloads:lance:python", "downloads:lance:rust"],
    { ...DEFAULT_VIEW, range: "all" },
  );
  expect(toWideCsv(chart, true).trimEnd().split("\r\n").slice(0, 3)).toEqual([
    "period,period_start,period_end,downloads:lance:python,downloads:lance:python kind,downloads:lance:rust,downloads:lance:rust kind,sample_data",
    "2026-W37,2026-09-07,2026-09-13,10,measured,3,incomplete,true",
    "2026-W38,2026-09-14,2026-09-20,,gap,4,measured,true",
  ]);
});

test("every row of sample data says so, a gap too", () => {
  const chart = chartData(
    dashboard(metric([week(0, 10), week(1, null), week(2, 30)])),
    ["downloads:lance:python"],
    DEFAULT_VIEW,
  );
  const [header, ...rows] = toCsv(chart, true).trimEnd().split("\r\n");
  expect(header).toMatch(/,sample_data$/);
  expect(rows).toHaveLength(3);
  for (const row of rows) expect(row).toMatch(/,true$/);
});

test.each([
  ["plain", "plain"],
  ['say "x"', '"say ""x"""'],
  ["a,b", '"a,b"'],
  [null, ""],
  [-5, "-5"],
  [true, "true"],
])("a cell of %j is %s", (value, text) => {
  expect(csvCell(value)).toBe(text);
});

test.each(cells)("a spreadsheet does not run %j", (text = "", cell = "") => {
  expect(csvCell(text).replaceAll(/^"|"$/g, "").replaceAll('""', '"')).toBe(cell);
});
