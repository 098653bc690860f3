import { frozenSite, isAvailable } from "../api/frozen";
import { insightsPath, overviewPath, SERIES } from "../api/paths";
import { failureText } from "../api/problems";
import { getResource } from "../api/resource";
import type { Insights, Overview, WeeklyDashboard } from "../api/types";
import { copyText } from "../data/clipboard";
import { neverFetched, staleSources, withValues } from "../data/completeness";
import { allMetrics } from "../data/groups";
import { foremost } from "../data/insights";
import type { Markup, SharedOverview } from "../data/share-text";
import { usePage, useView } from "../hooks/contexts";
import { printPage } from "../hooks/printing";
import { THEMES, type Theme, useTheme } from "../hooks/use-theme";
import { Menu, MenuGroup, MenuItem } from "./menu";

const THEME_NAMES: Readonly<Record<Theme, string>> = {
  system: "As the system",
  light: "Light",
  dark: "Dark",
};

/** The name of all products, the week and how complete it is. */
export function Masthead({ overview }: { readonly overview: Overview | null }) {
  return (
    <header className="masthead">
      <div className="masthead-title">
        <h1>{overview?.name ?? import.meta.env.VITE_TITLE}</h1>
        <p className="masthead-status">{overview ? <StatusLine overview={overview} /> : "\u00a0"}</p>
      </div>
      <Tools overview={overview} />
    </header>
  );
}

/** A line never begins with it. */
const BETWEEN = "\u00a0· ";

/** Week, completeness and age; only what is wrong has a colour. */
function StatusLine({ overview }: { readonly overview: Overview }) {
  const { format, now } = usePage();
  const { freshness, complete, series } = overview;
  const read = freshness.read_at;
  const isOld =
    read === null || staleSources(freshness, now).length > 0 || neverFetched(freshness).length > 0;
  const week = format.week(overview.week);
  return (
    <>
      <span className="is-nowrap">{week.charAt(0).toUpperCase() + week.slice(1)}</span>
      {BETWEEN}
      <span className="is-nowrap">{format.days(overview.period_start, overview.period_end)}</span>
      {series > 0 && (
        <>
          {BETWEEN}
          <span className={complete === series ? "is-nowrap" : "is-nowrap is-warn"}>
            {complete} of {series} series complete
          </span>
        </>
      )}
      {BETWEEN}
      <span className={isOld ? "is-nowrap is-warn" : "is-nowrap"}>
        {read === null ? "never refreshed" : `refreshed ${format.age(read, now)}`}
      </span>
      <FrozenStatus />
    </>
  );
}

/** When a page without a server was frozen, and that it must not be published if it is the team's. */
function FrozenStatus() {
  const { format } = usePage();
  const site = frozenSite();
  if (site === null) return null;
  return (
    <>
      {BETWEEN}
      frozen copy, as of <span className="is-nowrap">{format.instant(site.as_of)}</span>
      {site.audience === "team" && (
        <>
          {BETWEEN}
          <span className="is-nowrap is-warn">for the team only</span>
        </>
      )}
    </>
  );
}

function Tools({ overview }: { readonly overview: Overview | null }) {
  const { view } = useView();
  const { change, announce } = usePage();
  const { copyAs, slide } = useSharing(overview);
  const [theme, setTheme] = useTheme();
  const copyLink = async (): Promise<void> => {
    const isCopied = await copyText(location.href);
    announce(isCopied ? "Link to this view copied." : `Copy this address: ${location.href}`);
  };
  return (
    <div className="masthead-tools">
      <WeekButton label="Previous week" text="‹" week={overview?.previous ?? null} />
      <WeekButton label="Next week" text="›" week={overview?.next ?? null} />
      <button
        type="button"
        className="button"
        aria-disabled={overview === null}
        onClick={() => void copyAs("markdown")}
      >
        Copy as text
      </button>
      {/* the slide is of all products */}
      {view.product === null && (
        <button
          type="button"
          className="button"
          aria-disabled={overview === null}
          onClick={() => void slide()}
        >
          Slide
        </button>
      )}
      <Menu label="More" text="⋯" className="button week-button">
        <MenuItem onSelect={() => void copyLink()}>Copy link</MenuItem>
        <MenuItem onSelect={() => void copyAs("slack")}>Copy text for Slack</MenuItem>
        <MenuItem onSelect={() => void printPage()}>Print</MenuItem>
        <MenuItem isChecked={view.iso} onSelect={() => change({ iso: !view.iso })}>
          ISO dates
        </MenuItem>
        <MenuGroup label="Theme">
          {THEMES.map((name) => (
            <MenuItem key={name} isRadio isChecked={name === theme} onSelect={() => setTheme(name)}>
              {THEME_NAMES[name]}
            </MenuItem>
          ))}
        </MenuGroup>
      </Menu>
    </div>
  );
}

/** Returns what copies the first screen as text, and what downloads it as a slide; their code loads on demand. */
function useSharing(overview: Overview | null) {
  const { announce, format, now } = usePage();
  const share = async (make: (overview: Overview) => Promise<string>): Promise<void> => {
    if (overview === null) return announce("There is no week to share yet.");
    try {
      announce(await make(overview));
    } catch (error) {
      announce(failureText(error));
    }
  };
  const copyAs = (markup: Markup): Promise<void> =>
    share(async (week) => {
      const { overviewText } = await import("../data/share-text");
      const isCopied = await copyText(overviewText(await sharedOverview(week), format, markup));
      return isCopied ? "This week copied as text." : "The browser blocked copying.";
    });
  const slide = (): Promise<void> =>
    share(async (week) => {
      const { downloadSlide } = await import("../chart/slide");
      return `Downloaded ${await downloadSlide(await sharedOverview(week), format, now)}.`;
    });
  return { copyAs, slide };
}

/** Returns the first screen's numbers with what changed; the page has loaded most of it already. */
async function sharedOverview(overview: Overview): Promise<SharedOverview> {
  const insights = await settled<Insights>(insightsPath(overview.week));
  const dashboard = await settled<WeeklyDashboard>(SERIES);
  const metrics = allMetrics(dashboard);
  return {
    overview: withValues(overview),
    insights: foremost(insights),
    names: {
      metrics: new Map(metrics.map((metric) => [metric.metric_id, metric])),
      productNames: new Map(overview.products.map((row) => [row.product, row.display_name])),
    },
    name: overview.name ?? import.meta.env.VITE_TITLE,
    url: location.href,
  };
}

/** Waits for a resource; rejects with its problem. */
function settled<T>(path: string): Promise<T> {
  const resource = getResource<T>(path);
  return new Promise((done, fail) => {
    let leave: (() => void) | null = null;
    const look = (): void => {
      const state = resource.state();
      if (state.phase === "loading") return;
      leave?.();
      if (state.phase === "ready") done(state.response.body);
      else fail(state.problem);
    };
    leave = resource.subscribe(look);
    look();
  });
}

interface WeekButtonProps {
  readonly label: string;
  readonly text: string;
  readonly week: string | null;
}

function WeekButton({ label, text, week }: WeekButtonProps) {
  const { change } = usePage();
  const isFrozen = week === null || isAvailable(overviewPath(week));
  const canOpen = week !== null && isFrozen;
  return (
    <button
      type="button"
      className="button week-button"
      aria-label={label}
      title={isFrozen ? label : `${label}: not in this copy without a server`}
      aria-disabled={!canOpen}
      onClick={() => canOpen && change({ week })}
    >
      <span aria-hidden="true">{text}</span>
    </button>
  );
}
