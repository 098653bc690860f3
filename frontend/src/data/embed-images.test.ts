import { expect, test } from "vitest";
import type { WeeklyMetric } from "../api/types";
import { embedImages } from "./embed-images";
import { metric, week } from "./fixtures";

const line = (id: string, changes: Partial<WeeklyMetric> = {}) => ({
  id,
  name: id,
  series: { metric: metric([week(0, 1)], { metric_id: id, ...changes }) },
});
const urls = (...lines: readonly ReturnType<typeof line>[]) =>
  embedImages("Chart", lines, "https://metrics.example").map(({ url }) =>
    url.replace("https://metrics.example/api/v1", ""),
  );

test("series of one axis have a chart of all, and each a chart and a badge", () => {
  expect(urls(line("a"), line("b"))).toEqual([
    "/chart.svg?metric_id=a&metric_id=b",
    ...["/chart/a.svg", "/badge/a.svg"],
    ...["/chart/b.svg", "/badge/b.svg"],
  ]);
});

test("series of several units, and more than the API draws, have no chart of all", () => {
  const stars = line("stars", { unit: "stars", value_kind: "level", source_window: "instant" });
  expect(urls(line("a"), stars)[0]).toBe("/chart/a.svg");
  expect(urls(...Array.from({ length: 9 }, (_, index) => line(`m${index}`)))[0]).toBe("/chart/m0.svg");
});

test("uniques are drawn by day, the only grain that the API has of them", () => {
  const uniques = { unit: "uniques" } as const;
  expect(urls(line("a", uniques), line("b", uniques))).toEqual([
    "/chart.svg?metric_id=a&metric_id=b&by=day",
    ...["/chart/a.svg?by=day", "/badge/a.svg"],
    ...["/chart/b.svg?by=day", "/badge/b.svg"],
  ]);
});
