/** What is seen, as a file: the chart as SVG or PNG with its title and legend, in the colours of the theme. */

import { element } from "./hatch";
import type { Line } from "./lines";

const RESOLVED = ["fill", "stroke"] as const;
const PAD = 16;
const HEAD = 46;
const FOOT = 26;
const FONT = "system-ui, sans-serif";

export interface Caption {
  readonly title: string;
  readonly source: string;
}

/** Returns an SVG that stands by itself: no style sheet, no variable, its own ground. */
export function standalone(svg: SVGSVGElement, lines: readonly Line[], caption: Caption): SVGSVGElement {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.querySelector("style")?.remove();
  resolveColours(svg, copy);
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => resolved(style.getPropertyValue(name).trim());
  const width = svg.width.baseVal.value + 2 * PAD;
  const height = svg.height.baseVal.value + HEAD + FOOT;
  const whole = element("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    width: String(width),
    height: String(height),
    viewBox: `0 0 ${width} ${height}`,
    "font-family": FONT,
  }) as SVGSVGElement;
  copy.setAttribute("x", String(PAD));
  copy.setAttribute("y", String(HEAD));
  copy.setAttribute("font-family", FONT);
  whole.append(
    element("rect", { width: "100%", height: "100%", fill: colour("--card") }),
    text(caption.title, { x: PAD, y: 22, fill: colour("--text"), size: 14, weight: 600 }),
    ...legend(lines, colour),
    copy,
    text(caption.source, { x: PAD, y: height - 9, fill: colour("--muted"), size: 10, weight: 400 }),
  );
  return whole;
}

/** Returns the file's text. */
export function svgText(svg: SVGSVGElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(svg)}\n`;
}

/** Returns the same as a PNG at twice the size. */
export async function pngOf(svg: SVGSVGElement): Promise<Blob> {
  const image = new Image();
  const url = URL.createObjectURL(new Blob([svgText(svg)], { type: "image/svg+xml" }));
  try {
    image.src = url;
    await image.decode();
    return await painted(image);
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function painted(image: HTMLImageElement): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth * 2;
  canvas.height = image.naturalHeight * 2;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, fail) => {
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("this browser makes no PNG"))), "image/png");
  });
}

/** Offers a file to the reader. */
export function download(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function resolveColours(from: SVGSVGElement, to: SVGSVGElement): void {
  const originals = [from, ...from.querySelectorAll("*")];
  const copies = [to, ...to.querySelectorAll("*")];
  // the copy has lost its style element, which is the only one of its kind
  const kept = originals.filter((one) => one.tagName !== "style");
  kept.forEach((one, index) => {
    const style = getComputedStyle(one);
    for (const name of RESOLVED) {
      if (one.getAttribute(name)?.includes("var(")) copies[index]?.setAttribute(name, style[name]);
    }
    if (one === from) copies[index]?.setAttribute("color", style.color);
  });
}

/** Turns `light-dark(…)` and variables into one colour. */
function resolved(value: string): string {
  const probe = document.createElement("span");
  probe.style.color = value;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

interface TextLook {
  readonly x: number;
  readonly y: number;
  readonly fill: string;
  readonly size: number;
  readonly weight: number;
}

function text(content: string, { x, y, fill, size, weight }: TextLook): SVGElement {
  const made = element("text", {
    x: String(x),
    y: String(y),
    fill,
    "font-size": String(size),
    "font-weight": String(weight),
  });
  made.textContent = content;
  return made;
}

function legend(lines: readonly Line[], colour: (name: string) => string): SVGElement[] {
  let x = PAD;
  return lines.flatMap((line) => {
    const at = x;
    x += 20 + line.name.length * 7;
    const ground = {
      width: "10",
      height: "4",
      rx: "2",
      x: String(at),
      y: "33",
      fill: colour(`--series-${line.colour}`),
    };
    return [
      element("rect", ground),
      text(line.name, { x: at + 14, y: 39, fill: colour("--text"), size: 11, weight: 400 }),
    ];
  });
}
