import { expect, test } from "vitest";
import { cutText, flow, wrapText } from "./text-lines";

const length = (text: string): number => text.length;

test("a text is broken between words, and nothing of it is lost", () => {
  expect(wrapText("one two  three", 7, length)).toEqual(["one two", "three"]);
  expect(wrapText("", 7, length)).toEqual([]);
});

test("a word that is wider than a line goes on in the next", () => {
  expect(wrapText("a observability-toolkit b", 10, length)).toEqual(["a", "observabil", "ity-toolki", "t b"]);
});

test("items that do not fit beside each other begin a new row", () => {
  expect(flow([4, 4, 4, 20], 10)).toEqual([
    { x: 0, row: 0 },
    { x: 4, row: 0 },
    { x: 0, row: 1 },
    { x: 0, row: 2 },
  ]);
});

test("a text that is too long is cut before its end, which stays", () => {
  const place = { maxWidth: 12, most: 2 };
  expect(cutText("Parq", " (week 46)", place, length)).toEqual(["Parq (week", "46)"]);
  const cut = cutText("a toolkit of everybody", " (week 46)", place, length);
  expect(cut).toEqual(["a toolkit of", "e… (week 46)"]);
  expect(cutText("a", " of a note that is too long", { maxWidth: 5, most: 2 }, length)).toHaveLength(2);
});
