/** A chart as a slide: title, unit, period, key, source, date, and that downloads are not users. */
import { KIND_LABELS, NOT_USERS } from "../data/naming";
import { svgElement } from "./hatch";
import { type Line, lineColour } from "./lines";
import { inTheme, newPicture, PICTURE, type PictureTheme, textBlock, widthOf } from "./picture";
import { redraw } from "./redraw";
import { flow } from "./text-lines";

export interface Caption {
  readonly title: string;
  /** Unit and period. */
  readonly subtitle: string;
  /** Where the numbers come from, until when, and when the picture was made. */
  readonly source: string;
}

const KEY_STYLE = { size: 12 } as const;
const KEY_ROW = 18;
const KEY_MARK = 30;
const KEY_GAP = 18;
const FOOT_STYLE = { size: 10.5, fill: "var(--muted)" } as const;
const FEWEST_CHART_PX = 160;

/** Returns a self-contained picture of a chart that is on the page: no style sheet and no variable. */
export function chartPicture(
  svg: SVGSVGElement,
  lines: readonly Line[],
  caption: Caption,
  theme: PictureTheme,
): SVGSVGElement {
  const { width, height, padding } = PICTURE;
  const picture = newPicture();
  const maxWidth = width - 2 * padding;
  const title = textBlock(
    caption.title,
    { x: padding, top: padding - 8, maxWidth },
    { size: 22, weight: 700 },
  );
  const below = { x: padding, top: title.bottom + 2, maxWidth };
  const subtitle = textBlock(caption.subtitle, below, { size: 13, fill: "var(--muted)" });
  const key = keyOf(lines, subtitle.bottom + 8, maxWidth);
  const foot = textBlock(`${NOT_USERS} ${caption.source}`, { x: padding, top: 0, maxWidth }, FOOT_STYLE);
  const footTop = height - padding / 2 - foot.bottom;
  const chart = placed(svg, key.bottom + 6, Math.max(FEWEST_CHART_PX, footTop - key.bottom - 14));
  const footer = textBlock(
    `${NOT_USERS} ${caption.source}`,
    { x: padding, top: footTop, maxWidth },
    FOOT_STYLE,
  );
  picture.append(...title.elements, ...subtitle.elements, ...key.elements, chart, ...footer.elements);
  return inTheme(picture, theme);
}

/** Returns the chart drawn for the room that the other parts leave, else scaled into it. */
function placed(svg: SVGSVGElement, top: number, height: number): SVGSVGElement {
  const width = PICTURE.width - 2 * PICTURE.padding;
  const chart = redraw(svg, width, height) ?? (svg.cloneNode(true) as SVGSVGElement);
  if (!chart.hasAttribute("viewBox"))
    chart.setAttribute("viewBox", `0 0 ${svg.width.baseVal.value} ${svg.height.baseVal.value}`);
  const place = { x: PICTURE.padding, y: top, width, height };
  for (const [name, value] of Object.entries(place)) chart.setAttribute(name, String(value));
  return chart;
}

interface KeyItem {
  readonly text: string;
  readonly mark: (x: number, y: number) => readonly SVGElement[];
}

/** Returns the key: each series in its colour, and each kind of point that is not a plain line. */
function keyOf(lines: readonly Line[], top: number, maxWidth: number) {
  const items = [...lines.map(seriesItem), ...kindsOf(lines).map(kindItem)];
  const widths = items.map(({ text }) => KEY_MARK + widthOf(text, KEY_STYLE) + KEY_GAP);
  const places = flow(widths, maxWidth + KEY_GAP);
  let y = top;
  let lastRow = 0;
  const elements = items.flatMap(({ text, mark }, index) => {
    const place = places[index] ?? { x: 0, row: 0 };
    if (place.row !== lastRow) y += KEY_ROW;
    lastRow = place.row;
    const x = PICTURE.padding + place.x;
    // a name that is wider than the picture has lines of its own
    const block = textBlock(text, { x: x + KEY_MARK, top: y, maxWidth: maxWidth - KEY_MARK }, KEY_STYLE);
    const drawn = [...mark(x, y + 8), ...block.elements];
    y = Math.max(y, block.bottom - Math.round(KEY_STYLE.size * 1.3));
    return drawn;
  });
  return { elements, bottom: items.length === 0 ? top : y + KEY_ROW };
}

function seriesItem(line: Line): KeyItem {
  const fill = lineColour(line);
  return {
    text: line.name,
    mark: (x, y) => [
      svgElement("rect", { x: String(x), y: String(y - 2), width: "22", height: "4", rx: "2", fill }),
    ],
  };
}

type Kind = keyof typeof KIND_LABELS;
/** A plain line needs no explanation. */
const EXPLAINED = (Object.keys(KIND_LABELS) as readonly Kind[]).filter((kind) => kind !== "measured");

/** Returns the kinds of marks that the chart has. */
function kindsOf(lines: readonly Line[]): readonly Kind[] {
  const points = lines.flatMap((line) => line.series.points);
  const isDrawn: Readonly<Partial<Record<Kind, boolean>>> = {
    average: points.some((point) => point.average !== null),
    yearBefore: lines.some((line) => line.series.yearBefore.length > 0),
    restated: points.some((point) => point.api.restated),
  };
  return EXPLAINED.filter((kind) => isDrawn[kind] ?? points.some((point) => point.kind === kind));
}

const KIND_PATHS: Readonly<Record<Exclude<Kind, "measured">, Readonly<Record<string, string>>>> = {
  average: { d: "M0 0h22", "stroke-width": "4" },
  yearBefore: { d: "M0 0h22", "stroke-opacity": "0.4" },
  lacking: { d: "M0 0h22", "stroke-dasharray": "2 4" },
  estimated: { d: "M0 0h22", "stroke-dasharray": "5 4" },
  incomplete: { d: "M7 -4l8 8m0-8l-8 8" },
  running: { d: "M1 5l6-10m1 10l6-10m1 10l6-10", stroke: "var(--muted)" },
  reset: { d: "M11 -6v12", "stroke-dasharray": "2 3" },
  gap: { d: "M0 0h7m8 0h7" },
  restated: { d: "M6 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0", "stroke-width": "1.4" },
};

function kindItem(kind: Kind): KeyItem {
  return {
    text: KIND_LABELS[kind],
    mark: (x, y) =>
      kind === "measured"
        ? []
        : [
            svgElement("path", {
              transform: `translate(${x} ${y})`,
              fill: "none",
              stroke: "var(--text)",
              "stroke-width": "2",
              ...KIND_PATHS[kind],
            }),
          ],
  };
}
