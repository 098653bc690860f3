/** What stands on the page before the first numbers: their shape, and a word when it takes long. */
export function Skeleton({ isSlow }: { readonly isSlow: boolean }) {
  return (
    <div className="skeleton">
      <p className={isSlow ? "notice" : "vh"} role="status">
        {isSlow
          ? "The API is taking longer than usual. Still waiting for the first numbers…"
          : "Loading the numbers…"}
      </p>
      <div className="strip bone" />
      <div className="cards">
        <div className="card bone" />
        <div className="card bone" />
      </div>
    </div>
  );
}
