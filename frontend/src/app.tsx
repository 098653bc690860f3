import { useCallback, useEffect, useMemo, useState } from "react";
import { OVERVIEW, STATUS } from "./api/paths";
import { refreshAll } from "./api/resource";
import type { ServiceStatus, WeeklyDashboard } from "./api/types";
import { ChartSection } from "./components/chart-section";
import { Failure, NoData } from "./components/error-page";
import { Foot } from "./components/footer";
import { Later, Near } from "./components/lazy";
import { Masthead } from "./components/masthead";
import { Movers } from "./components/movers";
import { Notices } from "./components/notices";
import { Overview } from "./components/overview";
import { Quality } from "./components/quality";
import { Skeleton } from "./components/skeleton";
import { SettledTotals, StarTotals } from "./components/totals";
import { isEmpty } from "./data/completeness";
import { formatsOf } from "./format/format";
import { Reader, type ReaderContext, type ViewContext, Viewed } from "./hooks/contexts";
import { useFollowed } from "./hooks/use-deferred";
import { useNow } from "./hooks/use-now";
import { useResource } from "./hooks/use-resource";
import { useView } from "./hooks/use-url-view";

const REFRESH_MS = 5 * 60_000;
const SAID_MS = 4_000;

export function App() {
  const control = useView();
  const now = useNow();
  const [said, setSaid] = useState("");
  // every number on the page is written anew with it
  const iso = useFollowed(control.view.iso);
  const format = useMemo(() => formatsOf(undefined, iso), [iso]);
  const announce = useCallback((text: string) => setSaid(text), []);
  useRefreshing();
  useEffect(() => {
    if (said === "") return;
    const timer = setTimeout(() => setSaid(""), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const { view, change, undo } = control;
  const reader: ReaderContext = useMemo(
    () => ({ format, now, announce, change }),
    [format, now, announce, change],
  );
  const viewed: ViewContext = useMemo(() => ({ view, undo }), [view, undo]);
  return (
    <Reader.Provider value={reader}>
      <Viewed.Provider value={viewed}>
        <a className="skip" href="#main">
          Skip to the numbers
        </a>
        <Masthead />
        <main id="main" tabIndex={-1}>
          <Body faults={control.faults} />
        </main>
        <Foot />
        <p className={said === "" ? "toast" : "toast is-shown"} role="status">
          {said}
        </p>
      </Viewed.Provider>
    </Reader.Provider>
  );
}

/** Asks again every five minutes while somebody looks, and at once when the network is back. */
function useRefreshing(): void {
  useEffect(() => {
    const again = (): void => {
      if (!document.hidden) void refreshAll();
    };
    const timer = setInterval(again, REFRESH_MS);
    addEventListener("online", again);
    return () => {
      clearInterval(timer);
      removeEventListener("online", again);
    };
  }, []);
}

function Body({ faults }: { readonly faults: readonly string[] }) {
  const overview = useResource<WeeklyDashboard>(OVERVIEW);
  const answered = useResource<ServiceStatus>(STATUS);
  const status = answered.phase === "ready" ? answered.answer.body : null;
  if (overview.phase === "loading") return <Skeleton isSlow={overview.isSlow} />;
  if (overview.phase === "failed") return <Failure problem={overview.problem} />;
  const dashboard = overview.answer.body;
  if (isEmpty(dashboard, status)) return <NoData command="community-metrics seed" />;
  return (
    <>
      <Notices answer={overview.answer} status={status} faults={faults} />
      <Overview dashboard={dashboard} status={status} />
      <Later order={0}>
        <ChartSection dashboard={dashboard} />
      </Later>
      <Later order={1}>
        <div className="columns">
          <SettledTotals dashboard={dashboard} />
          <StarTotals dashboard={dashboard} />
        </div>
      </Later>
      <Later order={2}>
        <Near id="movers">
          <Movers dashboard={dashboard} />
        </Near>
        <Near id="quality">
          <Quality status={answered} />
        </Near>
      </Later>
    </>
  );
}
