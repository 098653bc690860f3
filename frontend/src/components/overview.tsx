/** The latest week of every product, with freshness and completeness. */
import { memo } from "react";
import type { ServiceStatus, WeeklyDashboard } from "../api/types";
import { completeness, missingDayCount, publishedThrough, staleSources } from "../data/completeness";
import { usePage } from "../hooks/contexts";
import { ProductCard } from "./product-card";

interface Props {
  readonly dashboard: WeeklyDashboard;
  readonly status: ServiceStatus | null;
}

export const Overview = memo(function Overview({ dashboard, status }: Props) {
  return (
    <section aria-labelledby="overview-title">
      <h2 id="overview-title" className="visually-hidden">
        Latest complete week
      </h2>
      <SummaryStrip dashboard={dashboard} status={status} />
      <div className="cards">
        {dashboard.products.map((product) => (
          <ProductCard key={product.product} product={product} latestWeekEnd={dashboard.period_end} />
        ))}
      </div>
    </section>
  );
});

/** The freshness and completeness of all data. */
function SummaryStrip({ dashboard, status }: Props) {
  const { format, now } = usePage();
  const week = dashboard.products[0]?.metrics[0]?.points.at(-1);
  const counts = completeness(dashboard);
  const success = dashboard.freshness.last_success_at;
  const through = status && publishedThrough(status);
  const missing = status && missingDayCount(status);
  return (
    <dl className="summary-strip">
      <Fact
        name={week ? format.periodShort(week) : "Latest week"}
        value={week ? format.days(week.period_start, week.period_end) : "—"}
      >
        {week && `ended ${format.dayAge(week.period_end, now)}`}
      </Fact>
      <Fact
        name="Weekly downloads"
        value={`${counts.complete} of ${counts.total}`}
        tone={counts.complete === counts.total ? "good" : "warn"}
      >
        series complete (all 7 days)
      </Fact>
      <Fact
        name="Last complete refresh"
        value={success ? format.age(success, now) : "never"}
        tone={success === null || staleSources(dashboard.freshness, now).length > 0 ? "warn" : "good"}
      >
        {success ? format.day(success) : "no complete refresh yet"}
      </Fact>
      <Fact name="Published through" value={through ? format.day(through) : "—"}>
        {missingDaysText(through, missing)}
      </Fact>
    </dl>
  );
}

function missingDaysText(through: string | null, missing: number | null): string {
  if (missing === null || through === null) return "no data yet";
  if (missing === 0) return "no missing days in 12 weeks";
  return `${missing} missing ${missing === 1 ? "day" : "days"} in 12 weeks`;
}

interface FactProps {
  readonly name: string;
  readonly value: string;
  readonly tone?: "good" | "warn";
  readonly children: string | null | undefined;
}

function Fact({ name, value, tone, children }: FactProps) {
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>
        <span className="fact-value">
          {tone && (
            <span className={`dot is-${tone}`} aria-hidden="true">
              {tone === "good" ? "✓" : "!"}
            </span>
          )}
          {value}
        </span>{" "}
        <span className="fact-note">{children}</span>
      </dd>
    </div>
  );
}
