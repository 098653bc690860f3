import { expect, test } from "vitest";
import { hasEveryWord, matching } from "./matching";

const METRICS = [
  { metric_id: "downloads:lance:python", display_name: "Lance for Python (PyPI pylance)" },
  { metric_id: "downloads:lancedb:python", display_name: "LanceDB for Python (PyPI lancedb)" },
  { metric_id: "stars:lancedb:github", display_name: "LanceDB stars (GitHub lancedb/lancedb)" },
];

test.each([
  ["downloads:lance:python", ["downloads:lance:python"]],
  ["lancedb STARS", ["stars:lancedb:github"]],
  ["pylance", ["downloads:lance:python"]],
  ["python", ["downloads:lance:python", "downloads:lancedb:python"]],
  ["ruby", []],
  ["  ", []],
])("any part of a name finds a series: %s", (text, ids) => {
  expect(matching(METRICS, text).map((metric) => metric.metric_id)).toEqual(ids);
});

test.each([
  ["graph lance", true],
  ["", true],
  ["lance python", false],
])("a name has every word of a text, in any order: %s", (text, expected) => {
  expect(hasEveryWord("lance-graph Lance Graph", text)).toBe(expected);
});
