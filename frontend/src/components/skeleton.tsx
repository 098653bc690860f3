/** What stands on the page before the first numbers: their shape, and a word when it takes long. */
export function Skeleton({ isSlow }: { readonly isSlow: boolean }) {
  return (
    <div className="skeleton">
      <div className="strip">
        <p className={isSlow ? undefined : "vh"} role="status">
          {isSlow
            ? "The API is taking longer than usual. Still waiting for the first numbers…"
            : "Loading the numbers…"}
        </p>
      </div>
      <div className="cards">
        <SkeletonCard />
        <SkeletonCard />
      </div>
    </div>
  );
}

function SkeletonCard() {
  return (
    <div className="card">
      <div className="bone" />
      <div className="bone" />
      <div className="bone" />
      <div className="bone" />
    </div>
  );
}
