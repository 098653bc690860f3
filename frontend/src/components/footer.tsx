import { API_BASE_URL } from "../api/client";
import { type FrozenSite, frozenSite } from "../api/frozen";
import { usePage } from "../hooks/contexts";

/** How to interpret the numbers. */
export function Footer() {
  const site = frozenSite();
  return (
    <footer className="footer">
      <p>
        <strong>Downloads are not users.</strong> A download is one file that a registry sends; automated
        systems make most of them. Compare a package with itself over time. Weeks are ISO weeks, Monday to
        Sunday, in UTC.
      </p>
      <p>
        A number is never invented: a day that a registry has not published is missing, not 0.{" "}
        <a href="https://github.com/lancedb/community-metrics/blob/main/docs/data.md">
          What the numbers mean
        </a>{" "}
        ·{" "}
        {site === null ? (
          <a href={`${API_BASE_URL}/api/v1/docs`}>API docs</a>
        ) : (
          <a href="./files.html">Files: CSV, badges, charts, digests</a>
        )}
      </p>
      {site !== null && <FrozenNote site={site} />}
    </footer>
  );
}

/** What a page without a server has, and what needs one. */
function FrozenNote({ site }: { readonly site: FrozenSite }) {
  const { format } = usePage();
  return (
    <p>
      This page is a copy without a server, made of the data as of {format.instant(site.as_of)}. It has the
      weeks {site.oldest_week} to {site.newest_week} and the whole history of each series. Older weeks and
      pictures of several series need a server: <code className="is-nowrap">community-metrics serve</code>.
    </p>
  );
}
