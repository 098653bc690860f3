/** Names for the API's types; `schema.ts` is generated from `docs/openapi.json`. */
import type { components } from "./schema";

type Bodies = components["schemas"];

export type WeeklyDashboard = Bodies["WeeklyDashboard"];
export type Dashboard = WeeklyDashboard | Bodies["DailyDashboard"] | Bodies["MonthlyDashboard"];
export type Product = Dashboard["products"][number];
export type WeeklyProduct = WeeklyDashboard["products"][number];
export type Metric = Product["metrics"][number];
export type WeeklyMetric = WeeklyProduct["metrics"][number];
export type WeekPoint = Bodies["WeekPoint"];
export type Point = WeekPoint | Bodies["DayPoint"] | Bodies["MonthPoint"];
export type RunningPoint = Metric["running"];
export type Change = Bodies["Change"];
export type Freshness = Bodies["Freshness"];
export type ServiceStatus = Bodies["ServiceStatus"];
export type MetricStatus = Bodies["MetricStatus"];
export type RunRecord = Bodies["RunRecord"];
export type Restatements = Bodies["Restatements"];
export type ProblemBody = Bodies["ProblemBody"];

/** Returns the ISO name of a point's period: `2026-W47`, `2026-11-22` or `2026-11`. */
export function periodName(point: Point): string {
  if ("week" in point) return point.week;
  return "month" in point ? point.month : point.day;
}
