import { expect, test } from "vitest";
import { week } from "../data/fixtures";
import { createFormats } from "./format";

const NOW = Date.parse("2026-11-23T12:00:00Z");

test("numbers and days follow the locale", () => {
  expect(createFormats("de-DE", false).count(1234567)).toBe("1.234.567");
  expect(createFormats("en-GB", false).day("2026-11-22")).toBe("22 Nov 2026");
});

test("a week has its number and its days", () => {
  // CLDR puts thin or plain spaces around the dash, depending on its version
  expect(createFormats("en-GB", false).period(week(10, 1))).toMatch(/^Week 47, 16\s?–\s?22 Nov 2026$/);
});

test("dates are ISO 8601 on request", () => {
  const iso = createFormats("de-DE", true);
  expect(iso.period(week(10, 1))).toBe("2026-W47");
  expect(iso.day("2026-11-22")).toBe("2026-11-22");
  expect(iso.instant("2026-11-22T06:00:00Z")).toBe("2026-11-22T06:00:00Z");
});

test("a change has its sign", () => {
  const format = createFormats("en-GB", false);
  expect(format.change({ absolute: 5, fraction: 0.052 })).toBe("+5.2%");
  expect(format.change({ absolute: 5, fraction: 0.05 })).toBe("+5.0%");
  expect(format.change({ absolute: 5, fraction: 0.64 })).toBe("+64%");
  expect(format.change({ absolute: 0, fraction: 0 })).toBe("0.0%");
});

test.each([
  [0.0476, "4.8%"],
  [1.03, "103.0%"],
  [1.048, "104.8%"],
  [1, "100.0%"],
])("a share of %s is %s, so that a column has one number of digits", (share, text) => {
  expect(createFormats("en-GB", false).percent(share)).toBe(text);
});

test("the size of a change has the digits of the change", () => {
  const format = createFormats("en-GB", false);
  for (const fraction of [0.05, 0.052, 0.0999, 0.1, 0.64])
    expect(`+${format.changeSize(fraction)}`).toBe(format.change({ absolute: 5, fraction }));
});

test("beside the API's sentence a change has the same digits as in it", () => {
  const format = createFormats("en-GB", false);
  expect(format.exactChange({ absolute: 5, fraction: 0.6449 })).toBe("+64.5%");
  expect(format.exactChange({ absolute: -5, fraction: -0.052 })).toBe("\u22125.2%");
});

test.each([
  ["2026-11-23T11:59:30Z", "this minute"],
  ["2026-11-23T09:10:00Z", "2 hours ago"],
  ["2026-05-31T00:00:00Z", "176 days ago"],
])("%s was %s", (at, text) => {
  expect(createFormats("en-GB", false).age(at, NOW)).toBe(text);
});

test.each([
  ["2026-11-23", "today"],
  ["2026-11-22", "yesterday"],
  ["2026-05-31", "176 days ago"],
])("the day %s was %s", (day, text) => {
  expect(createFormats("en-GB", false).dayAge(day, NOW)).toBe(text);
});

test("every number has the minus sign U+2212, in every form", () => {
  const format = createFormats("en-GB", false);
  const texts = [
    format.change({ absolute: -5, fraction: -0.052 }),
    format.change({ absolute: -5, fraction: -0.52 }),
    format.signedCount(-1234),
    format.count(-1234),
    format.short(-1234),
    format.figure(-1234),
    format.percent(-0.5),
  ];
  for (const text of texts) expect(text).toMatch(/^\u2212\d/);
});
