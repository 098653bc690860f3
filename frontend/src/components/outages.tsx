/** Days that a registry did not count, counted low or late, or restated, for everybody. */
import { apiUrl } from "../api/client";
import { frozenFile, frozenSite } from "../api/frozen";
import { OUTAGES } from "../api/paths";
import type { Outages } from "../api/types";
import { usePage } from "../hooks/contexts";
import { useResource } from "../hooks/use-resource";
import { type Column, SortableTable } from "./sortable-table";

type Outage = Outages["outages"][number];

const KINDS: Readonly<Record<Outage["kind"], string>> = {
  not_counted: "not counted",
  partial: "counted in part",
  low: "counted low",
  late: "late",
  restated: "restated",
};

export function OutagesCard() {
  const state = useResource<Outages>(OUTAGES);
  const body = state.phase === "ready" ? state.response.body : null;
  const feed = feedAddress();
  return (
    <div className="card">
      <h3>Outages of registries</h3>
      <p className="muted">
        What a registry's own total shows: the same for every package on it.{" "}
        {feed !== null && <a href={feed}>Atom feed</a>}
      </p>
      {state.phase === "loading" && <p className="muted">Loading…</p>}
      {state.phase === "failed" && <p className="muted">{state.problem.message}</p>}
      {body !== null && <OutageTable body={body} />}
    </div>
  );
}

/** Returns where the feed is; null in a copy without a server that has none. */
function feedAddress(): string | null {
  const site = frozenSite();
  if (site === null) return apiUrl("/outages?format=atom");
  return site.has_feeds ? frozenFile("/outages.atom") : null;
}

function OutageTable({ body }: { readonly body: Outages }) {
  const { format } = usePage();
  if (body.registries.length === 0) return <p>No registry's total is stored.</p>;
  if (body.outages.length === 0) return <p>No outage of {body.registries.join(", ")} is known.</p>;
  const columns: readonly Column<Outage>[] = [
    { key: "registry", title: "Registry", sortValue: (row) => row.registry, cell: (row) => row.registry },
    {
      key: "day",
      title: "Day",
      noWrap: true,
      sortValue: (row) => row.day,
      cell: (row) => format.day(row.day),
    },
    {
      key: "kind",
      title: "What",
      noWrap: true,
      sortValue: (row) => row.kind,
      cell: (row) => KINDS[row.kind],
    },
    {
      key: "share",
      title: "Of the usual",
      isNumber: true,
      sortValue: (row) => row.share,
      cell: (row) => (row.share === null ? "—" : format.percent(row.share)),
    },
    {
      key: "sentence",
      title: "In words",
      noWrap: true,
      sortValue: (row) => row.sentence,
      cell: (row) => row.sentence,
    },
  ];
  return (
    <SortableTable
      id="outages"
      caption="Outages of registries"
      columns={columns}
      rows={body.outages}
      rowKey={(row) => row.outage_id}
    />
  );
}
