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

/** Downloads of the visible chart, and Markdown for its badge and sparkline. */
export const ChartActions = memo(function ChartActions({ id, title, chart, lines }: Props) {
  const { announce } = usePage();
  const [isEmbedding, setEmbedding] = useState(false);
  const name = `${id.replaceAll(/[^\w.-]+/g, "-")}-${chart.latestDay ?? ""}`;
  const save = (kind: FileKind) => async (event: { currentTarget: HTMLElement }) => {
    const svg = event.currentTarget.closest("figure")?.querySelector<SVGSVGElement>(".stage-plot svg");
    const blob = await createFile(kind, { title, chart, lines, svg: svg ?? null });
    if (blob === null) return announce("The chart is still loading.");
    const { download } = await import("../chart/export");
    download(`${name}.${kind}`, blob);
    announce(`Downloaded ${name}.${kind}.`);
  };
  return (
    <div className="actions">
      {FILE_KINDS.map((kind) => (
        <button key={kind} type="button" className="button small" onClick={save(kind)}>
          <span className="visually-hidden">Download {title} as </span>
          {kind.toUpperCase()}
        </button>
      ))}
      <button
        type="button"
        className="button small"
        aria-expanded={isEmbedding}
        onClick={() => setEmbedding(!isEmbedding)}
      >
        Embed<span className="visually-hidden"> {title}</span>
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
  const source = `community-metrics · data through ${chart.latestDay} · ${location.href}`;
  const svgFile = standalone(svg, lines, { title, source });
  return kind === "png" ? pngOf(svgFile) : new Blob([svgText(svgFile)], { type: "image/svg+xml" });
}

function Embed({ lines }: { readonly lines: readonly Line[] }) {
  const { announce } = usePage();
  const origin = API_BASE_URL === "" ? location.origin : "";
  const images = lines.flatMap((line) =>
    ["badge", "sparkline"].map((kind) => ({
      alt: `${line.name}: ${kind === "badge" ? "latest complete week" : "last 26 weeks"}`,
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
                  announce(
                    done ? "Markdown copied." : "The browser blocked copying. Select the text and copy it.",
                  ),
                )
              }
            >
              Copy<span className="visually-hidden"> Markdown for {alt}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
