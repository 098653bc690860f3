/** The page's placeholder before the first data, with a message if loading takes long. */
export function Skeleton({ isSlow }: { readonly isSlow: boolean }) {
  return (
    <div className="skeleton">
      <div className="headline">
        <p className={isSlow ? undefined : "visually-hidden"} role="status">
          {isSlow ? "The API is taking longer than usual. Still loading…" : "Loading…"}
        </p>
      </div>
      <div className="insights" />
      <div className="card">
        <div className="skeleton-row" />
        <div className="skeleton-row" />
        <div className="skeleton-row" />
        <div className="skeleton-row" />
        <div className="skeleton-row" />
        <div className="skeleton-row" />
      </div>
    </div>
  );
}
