import { expect, test } from "vitest";
import type { Overview } from "../api/types";
import { createFormats } from "../format/format";
import { headlineBasis, headlineNotes, headlineParts } from "./headline-words";

const FORMAT = createFormats("en-GB", false);
const SENTENCE =
  "All products: 55,900,000 downloads in 2026-W47, over 2 of 3 series. It waits for downloads:a:c.";

function overview(changes: object, numbers: object | null = {}): Overview {
  const headline = numbers && {
    unit: "downloads",
    sentence: SENTENCE,
    link: "/api/v1/dashboard/weekly?weeks=2",
    numbers: {
      type: "headline",
      total: 55_900_000,
      change: { absolute: 1, fraction: 0.091 },
      year_on_year: { absolute: 1, fraction: -0.5 },
      complete: ["a", "b"],
      series: 3,
      level_break: null,
      ...numbers,
    },
  };
  const base = {
    week: "2026-W47",
    period_end: "2026-11-22",
    next: null,
    stars: null,
    products: [{ total: { unit: "downloads" } }],
  };
  return { ...base, headline, freshness: { read_at: null }, ...changes } as unknown as Overview;
}

const sentence = (one: Overview): string =>
  headlineParts(one, FORMAT)
    .map(({ text }) => text)
    .join("");

test("the headline states the total, and how it changed on the week and on the year", () => {
  expect(sentence(overview({}))).toBe(
    `${FORMAT.figure(55_900_000)} downloads last week, +9.1% on the week before and \u221250.0% on the year.`,
  );
});

test("a change that is not known is left out of the figures", () => {
  const one = overview({ next: "2026-W48" }, { change: null });
  expect(sentence(one)).toMatch(/ downloads in week 47, \u221250.0% on the year\.$/);
});

test("below the figures is the API's sentence as it is, with the link to its numbers", () => {
  expect(headlineBasis(overview({}), FORMAT)).toEqual({
    sentence: SENTENCE,
    link: "/api/v1/dashboard/weekly?weeks=2",
    stars: null,
  });
});

test("before the first refresh it says how far the history reaches, afterwards that no series is complete", () => {
  expect(sentence(overview({}, null))).toBe("History up to 22 Nov 2026");
  expect(headlineNotes(overview({}, null), FORMAT)).toMatch(
    /^No series has a complete week, so there is no total\./,
  );
  const fetched = { freshness: { read_at: "2026-11-23T06:00:00Z" } };
  expect(sentence(overview(fetched, null))).toBe("No series is complete in week 47");
});

test("stars say over how many repositories they are", () => {
  const stars = { value: 96_200, change: { absolute: 316, fraction: 0 }, repositories: 3, included: 2 };
  expect(headlineNotes(overview({ stars }), FORMAT)).toBe(
    `${SENTENCE} 96.2k stars in 2 of 3 repositories, +316 in the week.`,
  );
});

test("without downloads the stars are the headline", () => {
  const stars = { value: 96_200, change: { absolute: 316, fraction: 0 }, repositories: 2, included: 2 };
  const one = overview({ stars, products: [{ total: null }] }, null);
  expect(sentence(one)).toBe("96.2k stars, +316 in the week.");
  expect(headlineNotes(one, FORMAT)).toBe("No product has daily downloads.");
});
