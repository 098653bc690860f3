/** One menu with everything that leaves a chart: pictures, files, text and code for another page. */
import { memo, useRef, useState } from "react";
import { failureText } from "../api/problems";
import type { WeeklyMetric } from "../api/types";
import type { Line } from "../chart/lines";
import type { ChartData } from "../data/chart-data";
import { usePage } from "../hooks/contexts";
import type { ChartView } from "./chart-card";
import { Embed } from "./embed";
import { Menu, MenuGroup, MenuItem } from "./menu";

interface Props {
  readonly id: string;
  readonly title: string;
  /** What the chart's title may claim a change of. */
  readonly metrics: readonly WeeklyMetric[];
  readonly chart: ChartData;
  readonly lines: readonly Line[];
  readonly view: ChartView;
  /** Whether the numbers are invented: every file says so. */
  readonly isSample: boolean;
}

export const ChartActions = memo(function ChartActions(props: Props) {
  const { title, lines } = props;
  const { announce, format, now } = usePage();
  const [isEmbedding, setEmbedding] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  // the code of exports loads with the first one
  const run = (kind: ExportKind) => async (): Promise<void> => {
    const svg = place.current?.closest("figure")?.querySelector<SVGSVGElement>(".stage-plot svg") ?? null;
    try {
      const { exportChart } = await import("../chart/export-chart");
      announce(await exportChart(kind, { ...props, svg, format, now }));
    } catch (error) {
      announce(failureText(error));
    }
  };
  return (
    <div className="actions" ref={place}>
      <Menu label={`Export ${title}`} text="Export" className="button small">
        <MenuGroup label="Picture">
          <MenuItem onSelect={run("png-light")}>PNG 16:9, light</MenuItem>
          <MenuItem onSelect={run("png-dark")}>PNG 16:9, dark</MenuItem>
          <MenuItem onSelect={run("svg")}>SVG</MenuItem>
          <MenuItem onSelect={run("copy-image")}>Copy image</MenuItem>
        </MenuGroup>
        <MenuGroup label="Data">
          <MenuItem onSelect={run("csv")}>CSV, a row for each value</MenuItem>
          <MenuItem onSelect={run("csv-wide")}>CSV, a column for each series</MenuItem>
        </MenuGroup>
        <MenuGroup label="Text">
          <MenuItem onSelect={run("markdown")}>Copy as Markdown</MenuItem>
          <MenuItem onSelect={run("slack")}>Copy for Slack</MenuItem>
        </MenuGroup>
        <MenuItem onSelect={() => setEmbedding(!isEmbedding)}>
          {isEmbedding ? "Hide embed code" : "Embed code"}
        </MenuItem>
      </Menu>
      {isEmbedding && <Embed title={title} lines={lines} />}
    </div>
  );
});

export type ExportKind =
  | "png-light"
  | "png-dark"
  | "svg"
  | "copy-image"
  | "csv"
  | "csv-wide"
  | "markdown"
  | "slack";
