import { API_BASE_URL } from "../api/client";

/** What a stranger should know before quoting a number. */
export function Footer() {
  return (
    <footer className="foot">
      <p>
        <strong>Downloads are not users.</strong> A download is one file sent by a registry; most are made by
        machines. Compare a package with itself over time. Weeks are ISO weeks in UTC, Monday to Sunday.
      </p>
      <p>
        A number is never invented: a day that a registry has not published is missing, not 0.{" "}
        <a href="https://github.com/lancedb/community-metrics/blob/main/docs/data.md">
          What every number means
        </a>{" "}
        · <a href={`${API_BASE_URL}/api/v1/docs`}>The API</a>
      </p>
    </footer>
  );
}
