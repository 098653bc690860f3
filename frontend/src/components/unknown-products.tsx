/** The products without any value: they have no row of dashes, only this line. */
import type { ProductOfWeek } from "../api/types";
import { ViewLink } from "./view-link";

export function UnknownProducts({ products }: { readonly products: readonly ProductOfWeek[] }) {
  if (products.length === 0) return null;
  const counted = products.length === 1 ? "1 product has" : `${products.length} products have`;
  return (
    <details className="unknown-products muted">
      <summary>{counted} no value yet and no row above.</summary>
      <ul>
        {products.map(({ product, display_name }) => (
          <li key={product}>
            <ViewLink changes={{ product }}>{display_name}</ViewLink>
          </li>
        ))}
      </ul>
    </details>
  );
}
