import { API_BASE_URL } from "../api/client";

/** How to interpret the numbers. */
export function Footer() {
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
        · <a href={`${API_BASE_URL}/api/v1/docs`}>API docs</a>
      </p>
    </footer>
  );
}
