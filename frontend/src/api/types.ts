/** Names for the API's types; `schema.ts` is generated from `docs/openapi.json`. */
import type { components } from "./schema";

type Bodies = components["schemas"];

/** A dashboard as the API sends it: its points are columns. */
export type SentDashboard = Bodies["WeeklyDashboard"] | Bodies["DailyDashboard"] | Bodies["MonthlyDashboard"];
export type PointColumns = Bodies["PointColumns"];

type WithRows<Metric, Point> = Omit<Metric, "points"> & { readonly points: readonly Point[] };
type WithMetrics<Product, Metric> = Omit<Product, "metrics"> & { readonly metrics: readonly Metric[] };
type WithProducts<Dashboard, Product> = Omit<Dashboard, "products" | "periods"> & {
  readonly products: readonly Product[];
};

export type WeeklyMetric = WithRows<Bodies["WeeklyMetric"], WeekPoint>;
export type WeeklyProduct = WithMetrics<Bodies["WeeklyProduct"], WeeklyMetric>;
/** A dashboard with an object for each point, from `columns.ts`. */
export type WeeklyDashboard = WithProducts<Bodies["WeeklyDashboard"], WeeklyProduct>;
type DailyMetric = WithRows<Bodies["DailyMetric"], Bodies["DayPoint"]>;
type DailyProduct = WithMetrics<Bodies["DailyProduct"], DailyMetric>;
type MonthlyMetric = WithRows<Bodies["MonthlyMetric"], Bodies["MonthPoint"]>;
type MonthlyProduct = WithMetrics<Bodies["MonthlyProduct"], MonthlyMetric>;
export type Dashboard =
  | WeeklyDashboard
  | WithProducts<Bodies["DailyDashboard"], DailyProduct>
  | WithProducts<Bodies["MonthlyDashboard"], MonthlyProduct>;
export type Product = Dashboard["products"][number];
export type Metric = Product["metrics"][number];
export type WeekPoint = Bodies["WeekPoint"];
export type Point = WeekPoint | Bodies["DayPoint"] | Bodies["MonthPoint"];
export type RunningPoint = Metric["running"];
export type Dispute = Bodies["Dispute"];
export type Change = Bodies["Change"];
export type Overview = Bodies["Overview"];
export type ProductOfWeek = Bodies["ProductOfWeek"];
export type WeeklyTotal = Bodies["WeeklyTotal"];
export type StarsOfWeek = Bodies["Stars"];
export type Insights = Bodies["Insights"];
export type Insight = Bodies["Insight"];
export type Freshness = Bodies["Freshness"];
export type Definitions = Bodies["Definitions"];
export type Comparison = Bodies["Comparison"];
export type Comparable = Bodies["Comparable"];
export type ComparedMetric = Bodies["ComparedMetric"];
export type Events = Bodies["Events"];
export type EventBody = Bodies["Event"];
export type NoteBody = Bodies["Note"];
export type BeforeAfter = Bodies["BeforeAfter"];
export type ServiceStatus = Bodies["ServiceStatus"];
export type MetricStatus = Bodies["MetricStatus"];
export type Loss = Bodies["Loss"];
export type RunRecord = Bodies["RunRecord"];
export type Restatements = Bodies["Restatements"];
export type Outages = Bodies["Outages"];
export type ProblemBody = Bodies["ProblemBody"];

/** Returns the ISO name of a point's period: `2026-W47`, `2026-11-22` or `2026-11`. */
export function periodName(point: Point): string {
  if ("week" in point) return point.week;
  return "month" in point ? point.month : point.day;
}
