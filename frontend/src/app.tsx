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
const ANNOUNCEMENT_MS = 4_000;

export function App() {
  const control = useUrlView();
  const now = useNow();
  const [announcement, setAnnouncement] = useState("");
  // deferred, because every number on the page renders again when it changes
  const iso = useDeferred(control.view.iso);
  const format = useMemo(() => createFormats(undefined, iso), [iso]);
  const announce = useCallback((text: string) => setAnnouncement(text), []);
  useAutoRefresh();
  useEffect(() => {
    if (announcement === "") return;
    const timer = setTimeout(() => setAnnouncement(""), ANNOUNCEMENT_MS);
    return () => clearTimeout(timer);
  }, [announcement]);
  const { view, change, undo } = control;
  const page: PageContextValue = useMemo(
    () => ({ format, now, announce, change }),
    [format, now, announce, change],
  );
  const viewValue: ViewContextValue = useMemo(() => ({ view, undo }), [view, undo]);
  return (
    <PageContext.Provider value={page}>
      <ViewContext.Provider value={viewValue}>
        <a className="skip" href="#main">
          Skip to content
        </a>
        <Masthead />
        <main id="main" tabIndex={-1}>
          <Body invalidParameters={control.invalidParameters} />
        </main>
        <Footer />
        <p className={announcement === "" ? "toast" : "toast is-shown"} role="status">
          {announcement}
        </p>
      </ViewContext.Provider>
    </PageContext.Provider>
  );
}

/** Refreshes every five minutes while the page is visible, and when the network is back. */
function useAutoRefresh(): void {
  useEffect(() => {
    const refresh = (): void => {
      if (!document.hidden) void refreshAll();
    };
    const timer = setInterval(refresh, REFRESH_MS);
    addEventListener("online", refresh);
    return () => {
      clearInterval(timer);
      removeEventListener("online", refresh);
    };
  }, []);
}

function Body({ invalidParameters }: { readonly invalidParameters: readonly string[] }) {
  const overview = useResource<WeeklyDashboard>(OVERVIEW);
  const statusState = useResource<ServiceStatus>(STATUS);
  const status = statusState.phase === "ready" ? statusState.response.body : null;
  if (overview.phase === "loading") return <Skeleton isSlow={overview.isSlow} />;
  if (overview.phase === "failed") return <ErrorPage problem={overview.problem} />;
  const dashboard = overview.response.body;
  if (isEmpty(dashboard, status)) return <EmptyPage command="community-metrics seed" />;
  return (
    <>
      <Notices response={overview.response} status={status} invalidParameters={invalidParameters} />
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
          <Quality status={statusState} />
        </LazySection>
      </DeferredRender>
    </>
  );
}
