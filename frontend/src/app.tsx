import { useCallback, useEffect, useMemo, useState } from "react";
import { OVERVIEW, STATUS } from "./api/paths";
import { refreshAll } from "./api/resource";
import type { ServiceStatus, WeeklyDashboard } from "./api/types";
import { ChartSection } from "./components/chart-section";
import { EmptyPage, ErrorPage } from "./components/error-page";
import { Footer } from "./components/footer";
import { DeferredRender, LazySection } from "./components/lazy";
import { Masthead } from "./components/masthead";
import { Movers } from "./components/movers";
import { Notices } from "./components/notices";
import { Overview } from "./components/overview";
import { Quality } from "./components/quality";
import { Skeleton } from "./components/skeleton";
import { DownloadTotals, StarTotals } from "./components/totals";
import { isEmpty } from "./data/completeness";
import { createFormats } from "./format/format";
import { PageContext, type PageContextValue, ViewContext, type ViewContextValue } from "./hooks/contexts";
import { useDeferred } from "./hooks/use-deferred";
import { useNow } from "./hooks/use-now";
import { useResource } from "./hooks/use-resource";
import { useUrlView } from "./hooks/use-url-view";

const REFRESH_MS = 5 * 60_000;
const SAID_MS = 4_000;

export function App() {
  const control = useUrlView();
  const now = useNow();
  const [said, setSaid] = useState("");
  // every number on the page is written anew with it
  const iso = useDeferred(control.view.iso);
  const format = useMemo(() => createFormats(undefined, iso), [iso]);
  const announce = useCallback((text: string) => setSaid(text), []);
  useRefreshing();
  useEffect(() => {
    if (said === "") return;
    const timer = setTimeout(() => setSaid(""), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const { view, change, undo } = control;
  const reader: PageContextValue = useMemo(
    () => ({ format, now, announce, change }),
    [format, now, announce, change],
  );
  const viewed: ViewContextValue = useMemo(() => ({ view, undo }), [view, undo]);
  return (
    <PageContext.Provider value={reader}>
      <ViewContext.Provider value={viewed}>
        <a className="skip" href="#main">
          Skip to the numbers
        </a>
        <Masthead />
        <main id="main" tabIndex={-1}>
          <Body faults={control.invalidParameters} />
        </main>
        <Footer />
        <p className={said === "" ? "toast" : "toast is-shown"} role="status">
          {said}
        </p>
      </ViewContext.Provider>
    </PageContext.Provider>
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
  const status = answered.phase === "ready" ? answered.response.body : null;
  if (overview.phase === "loading") return <Skeleton isSlow={overview.isSlow} />;
  if (overview.phase === "failed") return <ErrorPage problem={overview.problem} />;
  const dashboard = overview.response.body;
  if (isEmpty(dashboard, status)) return <EmptyPage command="community-metrics seed" />;
  return (
    <>
      <Notices response={overview.response} status={status} invalidParameters={faults} />
      <Overview dashboard={dashboard} status={status} />
      <DeferredRender order={0}>
        <ChartSection dashboard={dashboard} />
      </DeferredRender>
      <DeferredRender order={1}>
        <div className="columns">
          <DownloadTotals dashboard={dashboard} />
          <StarTotals dashboard={dashboard} />
        </div>
      </DeferredRender>
      <DeferredRender order={2}>
        <LazySection id="movers">
          <Movers dashboard={dashboard} />
        </LazySection>
        <LazySection id="quality">
          <Quality status={answered} />
        </LazySection>
      </DeferredRender>
    </>
  );
}
