import { useCallback, useEffect, useMemo, useState } from "react";
import { IS_FROZEN } from "./api/frozen";
import { overviewPath, SERIES, STATUS } from "./api/paths";
import { type ResourceState, refreshAll } from "./api/resource";
import type { Overview, ServiceStatus, WeeklyDashboard } from "./api/types";
import { EmptyPage, ErrorPage } from "./components/error-page";
import { FirstScreen } from "./components/first-screen";
import { Footer } from "./components/footer";
import { DeferredRender, LazySection } from "./components/lazy";
import { Masthead } from "./components/masthead";
import { Notices } from "./components/notices";
import { ProductPage } from "./components/product-page";
import { Quality } from "./components/quality";
import { Skeleton } from "./components/skeleton";
import { isEmpty } from "./data/completeness";
import { createFormats } from "./format/format";
import {
  PageContext,
  type PageContextValue,
  useView,
  ViewContext,
  type ViewContextValue,
} from "./hooks/contexts";
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
  const overview = useOverview(view.week);
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
        <Masthead overview={overview.phase === "ready" ? overview.response.body : null} />
        <main id="main" tabIndex={-1}>
          <Body overview={overview} invalidParameters={control.invalidParameters} />
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
    if (IS_FROZEN) return; // its answers never change
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

/** Marks the title of the window, which is also the name of a saved or printed page. */
function useSampleTitle(isSample: boolean): void {
  useEffect(() => {
    const { title } = document;
    if (!isSample) return;
    document.title = `Sample data: ${title}`;
    return () => {
      document.title = title;
    };
  }, [isSample]);
}

/** Fetches a week; the previous one stays until it has loaded. */
function useOverview(week: string | null): ResourceState<Overview> {
  const state = useResource<Overview>(overviewPath(week));
  const [last, setLast] = useState(state);
  if (state.phase !== "loading" && state !== last) setLast(state);
  return state.phase === "loading" && last.phase === "ready" ? last : state;
}

interface BodyProps {
  readonly overview: ResourceState<Overview>;
  readonly invalidParameters: readonly string[];
}

function Body({ overview, invalidParameters }: BodyProps) {
  const { view } = useView();
  const series = useResource<WeeklyDashboard>(SERIES);
  const statusState = useResource<ServiceStatus>(STATUS);
  const status = statusState.phase === "ready" ? statusState.response.body : null;
  useSampleTitle(overview.phase === "ready" && overview.response.body.freshness.sample);
  if (overview.phase === "loading") return <Skeleton isSlow={overview.isSlow} />;
  if (overview.phase === "failed") return <ErrorPage problem={overview.problem} />;
  const { body } = overview.response;
  if (isEmpty(body, status)) return <EmptyPage command="community-metrics seed" />;
  const dashboard = series.phase === "ready" ? series.response.body : null;
  return (
    <>
      <Notices
        response={overview.response}
        dashboard={dashboard}
        status={status}
        invalidParameters={invalidParameters}
      />
      {view.product === null ? (
        <FirstScreen overview={body} dashboard={dashboard} />
      ) : (
        <ProductPage overview={body} dashboard={dashboard} product={view.product} />
      )}
      {series.phase === "failed" && (
        <p className="muted">The charts could not be loaded: {series.problem.message}</p>
      )}
      {/* after the charts, which would push it down */}
      {series.phase !== "loading" && (
        <DeferredRender order={2}>
          <LazySection id="quality">
            <Quality status={statusState} />
          </LazySection>
        </DeferredRender>
      )}
    </>
  );
}
