/** What every picture needs: text of measured width, colours of a theme, SVG as text and as PNG. */
import { svgElement } from "./hatch";
import { wrapText } from "./text-lines";

/** A slide of 16:9; a PNG has twice as many pixels. */
export const PICTURE = { width: 960, height: 540, padding: 32 } as const;
const PNG_SCALE = 2;
export const FONT = "system-ui, sans-serif";

export type PictureTheme = "light" | "dark";

export interface TextStyle {
  readonly size: number;
  readonly weight?: number;
  readonly fill?: string;
  readonly anchor?: "start" | "end";
}

const STYLED = [
  ...["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray"],
  ...["stroke-linecap", "stroke-linejoin", "opacity", "font-size", "font-weight", "text-anchor"],
] as const;

/** Returns an empty picture with the background of a card. */
export function newPicture(): SVGSVGElement {
  const root = svgElement("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    width: String(PICTURE.width),
    height: String(PICTURE.height),
    viewBox: `0 0 ${PICTURE.width} ${PICTURE.height}`,
    "font-family": FONT,
    fill: "var(--text)",
  }) as SVGSVGElement;
  root.append(svgElement("rect", { width: "100%", height: "100%", fill: "var(--card)" }));
  return root;
}

/** Returns one line of text with its baseline at `y`. */
export function textAt(content: string, x: number, y: number, style: TextStyle): SVGElement {
  const { size, weight = 400, fill = "var(--text)", anchor = "start" } = style;
  const element = svgElement("text", {
    x: String(x),
    y: String(y),
    fill,
    "font-size": String(size),
    "font-weight": String(weight),
    "text-anchor": anchor,
  });
  element.textContent = content;
  return element;
}

let canvas: CanvasRenderingContext2D | null = null;

/** Returns the width of a text in the picture's font. */
export function widthOf(content: string, { size, weight = 400 }: TextStyle): number {
  canvas ??= document.createElement("canvas").getContext("2d");
  if (canvas === null) throw new Error("this browser cannot measure text");
  canvas.font = `${weight} ${size}px ${FONT}`;
  return canvas.measureText(content).width;
}

export interface Block {
  readonly elements: readonly SVGElement[];
  /** Where the next block begins. */
  readonly bottom: number;
}

/** Returns a text in lines of at most `maxWidth`, below `top`. */
export function textBlock(
  content: string,
  { x, top, maxWidth }: { readonly x: number; readonly top: number; readonly maxWidth: number },
  style: TextStyle,
): Block {
  const height = Math.round(style.size * 1.3);
  const lines = wrapText(content, maxWidth, (text) => widthOf(text, style));
  return {
    elements: lines.map((line, index) => textAt(line, x, top + height * index + style.size, style)),
    bottom: top + height * lines.length,
  };
}

/** Returns the theme that the page has now. */
export function currentTheme(): PictureTheme {
  const { theme } = document.documentElement.dataset;
  if (theme === "light" || theme === "dark") return theme;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Returns the picture with the colours of a theme instead of variables and classes. */
export function inTheme(picture: SVGSVGElement, theme: PictureTheme): SVGSVGElement {
  const host = document.createElement("div");
  host.className = "picture-host";
  host.append(picture);
  document.body.append(host);
  // the variables have the colours of the root's theme; it is back before the browser paints
  const { dataset } = document.documentElement;
  const { theme: before } = dataset;
  dataset.theme = theme;
  try {
    picture.querySelector("style")?.remove();
    for (const element of [picture, ...picture.querySelectorAll("*")]) inlineStyle(element);
    return picture;
  } finally {
    host.remove();
    if (before === undefined) delete dataset.theme;
    else dataset.theme = before;
  }
}

function inlineStyle(element: Element): void {
  const isStyledByClass = element.hasAttribute("class");
  const names = STYLED.filter(
    (name) => isStyledByClass || element.getAttribute(name)?.match(/var\(|light-dark|currentColor/i),
  );
  if (names.length === 0) return;
  const style = getComputedStyle(element);
  const values = names.map((name) => [name, style.getPropertyValue(name)] as const);
  for (const [name, value] of values) element.setAttribute(name, value);
  element.removeAttribute("class");
}

/** Returns the picture as an SVG file. */
export function svgText(picture: SVGSVGElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(picture)}\n`;
}

/** Returns the picture as a PNG of 1920 by 1080. */
export async function pngOf(picture: SVGSVGElement): Promise<Blob> {
  const image = new Image();
  const url = URL.createObjectURL(new Blob([svgText(picture)], { type: "image/svg+xml" }));
  try {
    image.src = url;
    await image.decode();
    return await toPngBlob(image);
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function toPngBlob(image: HTMLImageElement): Promise<Blob> {
  const target = document.createElement("canvas");
  target.width = PICTURE.width * PNG_SCALE;
  target.height = PICTURE.height * PNG_SCALE;
  target.getContext("2d")?.drawImage(image, 0, 0, target.width, target.height);
  return new Promise((done, fail) => {
    target.toBlob(
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
