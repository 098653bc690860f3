/** Exports a chart as SVG or PNG with its title and legend, in the theme's colours. */

import { svgElement } from "./hatch";
import type { Line } from "./lines";

const COLOUR_ATTRIBUTES = ["fill", "stroke"] as const;
const PADDING = 16;
const HEADER_HEIGHT = 46;
const FOOTER_HEIGHT = 26;
const FONT = "system-ui, sans-serif";

export interface Caption {
  readonly title: string;
  readonly source: string;
}

/** Returns a self-contained SVG: no style sheet, no CSS variables, its own background. */
export function standaloneSvg(svg: SVGSVGElement, lines: readonly Line[], caption: Caption): SVGSVGElement {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.querySelector("style")?.remove();
  inlineColours(svg, copy);
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => resolveColour(style.getPropertyValue(name).trim());
  const width = svg.width.baseVal.value + 2 * PADDING;
  const height = svg.height.baseVal.value + HEADER_HEIGHT + FOOTER_HEIGHT;
  const root = svgElement("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    width: String(width),
    height: String(height),
    viewBox: `0 0 ${width} ${height}`,
    "font-family": FONT,
  }) as SVGSVGElement;
  copy.setAttribute("x", String(PADDING));
  copy.setAttribute("y", String(HEADER_HEIGHT));
  copy.setAttribute("font-family", FONT);
  root.append(
    svgElement("rect", { width: "100%", height: "100%", fill: colour("--card") }),
    textElement(caption.title, { x: PADDING, y: 22, fill: colour("--text"), size: 14, weight: 600 }),
    ...legend(lines, colour),
    copy,
    textElement(caption.source, {
      x: PADDING,
      y: height - 9,
      fill: colour("--muted"),
      size: 10,
      weight: 400,
    }),
  );
  return root;
}

/** Returns the SVG as text. */
export function serializeSvg(svg: SVGSVGElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(svg)}\n`;
}

/** Returns the SVG as a PNG at twice the size. */
export async function renderPng(svg: SVGSVGElement): Promise<Blob> {
  const image = new Image();
  const url = URL.createObjectURL(new Blob([serializeSvg(svg)], { type: "image/svg+xml" }));
  try {
    image.src = url;
    await image.decode();
    return await toPngBlob(image);
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function toPngBlob(image: HTMLImageElement): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth * 2;
  canvas.height = image.naturalHeight * 2;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, fail) => {
    canvas.toBlob(
      (blob) => (blob ? done(blob) : fail(new Error("this browser cannot create a PNG"))),
      "image/png",
    );
  });
}

/** Downloads a file. */
export function download(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function inlineColours(from: SVGSVGElement, to: SVGSVGElement): void {
  const originals = [from, ...from.querySelectorAll("*")];
  const copies = [to, ...to.querySelectorAll("*")];
  // the copy has no style element
  const styled = originals.filter((element) => element.tagName !== "style");
  styled.forEach((element, index) => {
    const style = getComputedStyle(element);
    for (const name of COLOUR_ATTRIBUTES) {
      if (element.getAttribute(name)?.includes("var(")) copies[index]?.setAttribute(name, style[name]);
    }
    if (element === from) copies[index]?.setAttribute("color", style.color);
  });
}

/** Returns the computed colour of a CSS value such as `light-dark(…)`. */
function resolveColour(value: string): string {
  const probe = document.createElement("span");
  probe.style.color = value;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

interface TextStyle {
  readonly x: number;
  readonly y: number;
  readonly fill: string;
  readonly size: number;
  readonly weight: number;
}

function textElement(content: string, { x, y, fill, size, weight }: TextStyle): SVGElement {
  const element = svgElement("text", {
    x: String(x),
    y: String(y),
    fill,
    "font-size": String(size),
    "font-weight": String(weight),
  });
  element.textContent = content;
  return element;
}

function legend(lines: readonly Line[], colour: (name: string) => string): SVGElement[] {
  let x = PADDING;
  return lines.flatMap((line) => {
    const left = x;
    x += 20 + line.name.length * 7;
    const swatch = {
      width: "10",
      height: "4",
      rx: "2",
      x: String(left),
      y: "33",
      fill: colour(`--series-${line.colour}`),
    };
    return [
      svgElement("rect", swatch),
      textElement(line.name, { x: left + 14, y: 39, fill: colour("--text"), size: 11, weight: 400 }),
    ];
  });
}
