import { memo, useState } from "react";
import { API_BASE_URL, apiUrl } from "../api/client";
import type { Line } from "../chart/lines";
import type { ChartData } from "../data/chart-data";
import { toCsv } from "../data/csv";
import { usePage } from "../hooks/contexts";
import { copyText } from "./masthead";

interface Props {
  readonly id: string;
  readonly title: string;
  readonly chart: ChartData;
  readonly lines: readonly Line[];
}

/** Exactly what is seen, as a file; and badge and sparkline for a README. */
export const ChartActions = memo(function ChartActions({ id, title, chart, lines }: Props) {
  const { announce } = usePage();
  const [isEmbedding, setEmbedding] = useState(false);
  const name = `${id.replaceAll(/[^\w.-]+/g, "-")}-${chart.latestDay ?? ""}`;
  const save = (kind: FileKind) => async (event: { currentTarget: HTMLElement }) => {
    const svg = event.currentTarget.closest("figure")?.querySelector<SVGSVGElement>(".stage-plot svg");
    const blob = await createFile(kind, { title, chart, lines, svg: svg ?? null });
    if (blob === null) return announce("The chart is not drawn yet.");
    const { download } = await import("../chart/export");
    download(`${name}.${kind}`, blob);
    announce(`${name}.${kind} saved.`);
  };
  return (
    <div className="actions">
      {FILE_KINDS.map((kind) => (
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

const FILE_KINDS = ["csv", "svg", "png"] as const;
type FileKind = (typeof FILE_KINDS)[number];

interface ExportInput {
  readonly title: string;
  readonly chart: ChartData;
  readonly lines: readonly Line[];
  readonly svg: SVGSVGElement | null;
}

async function createFile(kind: FileKind, { title, chart, lines, svg }: ExportInput): Promise<Blob | null> {
  if (kind === "csv") return new Blob([toCsv(chart)], { type: "text/csv;charset=utf-8" });
  if (svg === null) return null;
  const {
    renderPng: pngOf,
    standaloneSvg: standalone,
    serializeSvg: svgText,
  } = await import("../chart/export");
  const source = `community-metrics · newest data ${chart.latestDay} · ${location.href}`;
  const svgFile = standalone(svg, lines, { title, source });
  return kind === "png" ? pngOf(svgFile) : new Blob([svgText(svgFile)], { type: "image/svg+xml" });
}

function Embed({ lines }: { readonly lines: readonly Line[] }) {
  const { announce } = usePage();
  const origin = API_BASE_URL === "" ? location.origin : "";
  const images = lines.flatMap((line) =>
    ["badge", "sparkline"].map((kind) => ({
      alt: `${line.name}: ${kind === "badge" ? "the newest complete week" : "the last 26 weeks"}`,
      url: `${origin}${apiUrl(`/${kind}/${line.id}.svg`)}`,
    })),
  );
  return (
    <ul className="embed">
      {images.map(({ alt, url }) => {
        const markdown = `![${alt}](${url})`;
        return (
          <li key={url}>
            <img src={url} alt={alt} height="20" loading="lazy" />
            <code>{markdown}</code>
            <button
              type="button"
              className="button small"
              onClick={() =>
                void copyText(markdown).then((done) =>
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
