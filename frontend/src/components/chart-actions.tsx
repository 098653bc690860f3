import { memo, useState } from "react";
import { API_BASE_URL, apiUrl } from "../api/client";
import type { Line } from "../chart/lines";
import type { ShownChart } from "../data/chart-data";
import { csvOf } from "../data/csv";
import { useReader } from "../hooks/contexts";
import { copied } from "./masthead";

interface Props {
  readonly id: string;
  readonly title: string;
  readonly chart: ShownChart;
  readonly lines: readonly Line[];
}

/** Exactly what is seen, as a file; and badge and sparkline for a README. */
export const ChartActions = memo(function ChartActions({ id, title, chart, lines }: Props) {
  const { announce } = useReader();
  const [isEmbedding, setEmbedding] = useState(false);
  const name = `${id.replaceAll(/[^\w.-]+/g, "-")}-${chart.newest ?? ""}`;
  const save = (kind: FileKind) => async (event: { currentTarget: HTMLElement }) => {
    const svg = event.currentTarget.closest("figure")?.querySelector<SVGSVGElement>(".stage-plot svg");
    const blob = await fileOf(kind, { title, chart, lines, svg: svg ?? null });
    if (blob === null) return announce("The chart is not drawn yet.");
    const { download } = await import("../chart/export");
    download(`${name}.${kind}`, blob);
    announce(`${name}.${kind} saved.`);
  };
  return (
    <div className="actions">
      {FILES.map((kind) => (
        <button key={kind} type="button" className="button small" onClick={save(kind)}>
          {kind.toUpperCase()}
          <span className="vh"> of {title}</span>
        </button>
      ))}
      <button
        type="button"
        className="button small"
        aria-expanded={isEmbedding}
        onClick={() => setEmbedding(!isEmbedding)}
      >
        Embed<span className="vh"> {title}</span>
      </button>
      {isEmbedding && <Embed lines={lines} />}
    </div>
  );
});

const FILES = ["csv", "svg", "png"] as const;
type FileKind = (typeof FILES)[number];

interface Seen {
  readonly title: string;
  readonly chart: ShownChart;
  readonly lines: readonly Line[];
  readonly svg: SVGSVGElement | null;
}

async function fileOf(kind: FileKind, { title, chart, lines, svg }: Seen): Promise<Blob | null> {
  if (kind === "csv") return new Blob([csvOf(chart)], { type: "text/csv;charset=utf-8" });
  if (svg === null) return null;
  const { pngOf, standalone, svgText } = await import("../chart/export");
  const source = `community-metrics · newest data ${chart.newest} · ${location.href}`;
  const whole = standalone(svg, lines, { title, source });
  return kind === "png" ? pngOf(whole) : new Blob([svgText(whole)], { type: "image/svg+xml" });
}

function Embed({ lines }: { readonly lines: readonly Line[] }) {
  const { announce } = useReader();
  const origin = API_BASE_URL === "" ? location.origin : "";
  const pictures = lines.flatMap((line) =>
    ["badge", "sparkline"].map((kind) => ({
      alt: `${line.name}: ${kind === "badge" ? "the newest complete week" : "the last 26 weeks"}`,
      url: `${origin}${apiUrl(`/${kind}/${line.id}.svg`)}`,
    })),
  );
  return (
    <ul className="embed">
      {pictures.map(({ alt, url }) => {
        const markdown = `![${alt}](${url})`;
        return (
          <li key={url}>
            <img src={url} alt={alt} height="20" loading="lazy" />
            <code>{markdown}</code>
            <button
              type="button"
              className="button small"
              onClick={() =>
                void copied(markdown).then((done) =>
                  announce(done ? "Snippet copied." : "Select the text to copy it."),
                )
              }
            >
              Copy<span className="vh"> the snippet of {alt}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
