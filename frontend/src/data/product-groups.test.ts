import { expect, test } from "vitest";
import type { ProductOfWeek } from "../api/types";
import { groupProducts, groupsBetween, rowKeys, usefulGroupings } from "./product-groups";

function product(name: string, fraction: number | null, sdk: string | null = "python"): ProductOfWeek {
  const four_week_change = fraction === null ? null : { absolute: 1, fraction };
  const total = { unit: "downloads", four_week_change, sdks: [{ sdk, value: 1, share: 1 }] };
  return { product: name, display_name: name, total } as unknown as ProductOfWeek;
}

const names = (products: readonly ProductOfWeek[]) => products.map((one) => one.product).join();

test("products are grouped by how they changed in four weeks, and keep their order", () => {
  const groups = groupProducts(
    [product("a", 0.2), product("b", -0.5), product("c", 0.1), product("d", null), product("e", -0.09)],
    "trend",
  );
  expect(groups.map((group) => names(group.products))).toEqual(["a,c", "b", "e", "d"]);
});

test("a product is in the group of its largest SDK", () => {
  const groups = groupProducts([product("a", 0), product("b", 0, "rust"), product("c", 0, null)], "sdk");
  expect(groups.map((group) => group.title)).toEqual(["Mostly Python", "Mostly Rust", "Not by SDK"]);
});

test("only a grouping with at least two groups is offered", () => {
  expect(usefulGroupings([product("a", 0.2), product("b", 0.3, "rust")])).toEqual(["sdk"]);
});

test("without a grouping there is one group without a title", () => {
  expect(groupProducts([product("a", 0)], "none")).toEqual([{ title: null, products: [product("a", 0)] }]);
});

test("a title is a row of its own, and the rows of a part of the groups are exactly those between", () => {
  const groups = groupProducts([product("a", 0), product("b", 0, "rust"), product("c", 0, "rust")], "sdk");
  expect(rowKeys(groups)).toEqual(["group Mostly Python", "a", "group Mostly Rust", "b", "c"]);
  for (let first = 0; first < 5; first += 1)
    for (let end = first + 1; end <= 5; end += 1) {
      const shown = groupsBetween(groups, first, end);
      const rows = shown.flatMap((group) => [
        ...(group.hasTitle ? [`group ${group.title}`] : []),
        ...group.products.map((one) => one.product),
      ]);
      expect(rows).toEqual(rowKeys(groups).slice(first, end));
      expect(shown[0]?.at).toBe(first);
    }
});

test("a group that is drawn in part says how many products it has in all", () => {
  const groups = groupProducts([product("a", 0, "rust"), product("b", 0, "rust")], "sdk");
  expect(groupsBetween(groups, 0, 2)).toMatchObject([{ count: 2, hasTitle: true, at: 0 }]);
});
