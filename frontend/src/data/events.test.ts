import { expect, test } from "vitest";
import { type ChartEvent, chartEvents, eventsBetween, eventText, flagsOf } from "./events";

const stated = (event_id: string, day: string, kind: "release" | "pre_release" | "outage" = "release") => ({
  event_id,
  day,
  kind,
  title: `Lance ${event_id}`,
  happened_at: null,
  product: "lance",
  url: null,
  origin: "crates:lance",
  recorded_at: `${day}T06:00:00Z`,
});
const note = {
  event_id: "n1",
  day: "2026-11-05",
  title: "the conference talk",
  author: "Jane",
  product: "lance",
  url: null,
  recorded_at: "2026-11-06T06:00:00Z",
};
const body = {
  events: [
    stated("1.0", "2026-11-03"),
    stated("1.1-rc", "2026-11-04", "pre_release"),
    stated("1.1", "2026-11-09"),
  ],
  notes: [note],
};

test("events and notes are in one order of days, and previews are left out", () => {
  expect(chartEvents(body).map(({ id }) => id)).toEqual(["1.0", "n1", "1.1"]);
});

test("a cause that a person names has the person's name, and what a source states has none", () => {
  expect(chartEvents(body).map(eventText)).toEqual([
    "Release: Lance 1.0",
    "Jane says: the conference talk",
    "Release: Lance 1.1",
  ]);
});

test("the first and the last day of a period belong to it", () => {
  const found = eventsBetween(chartEvents(body), "2026-11-03", "2026-11-05");
  expect(found.map(({ id }) => id)).toEqual(["1.0", "n1"]);
});

test("flags are at least the gap apart, and no event is without a flag", () => {
  const events: readonly ChartEvent[] = Array.from({ length: 30 }, (_, index) => ({
    ...(chartEvents(body)[0] as ChartEvent),
    id: `${index}`,
    day: `2026-11-${String(index + 1).padStart(2, "0")}`,
  }));
  const flags = flagsOf(events, (day) => Number(day.slice(-2)) * 10, 44);
  const xs = flags.map(({ x }) => x);
  expect(xs.slice(1).every((x, index) => x - (xs[index] ?? 0) >= 44)).toBe(true);
  expect(flags.flatMap(({ events: own }) => own)).toEqual(events);
});
