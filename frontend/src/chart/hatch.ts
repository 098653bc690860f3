/** The hatched background of a running period. */

const SVG = "http://www.w3.org/2000/svg";
// all charts share one id: it resolves to the first pattern, and all patterns are equal
const ID = "cm-hatch";

/** Returns the fill that refers to the pattern of `addHatch`. */
export function hatchFill(): string {
  return `url(#${ID})`;
}

/** Adds the pattern to a chart. */
export function addHatch(svg: SVGSVGElement): void {
  const pattern = svgElement("pattern", {
    id: ID,
    width: "6",
    height: "6",
    patternUnits: "userSpaceOnUse",
    patternTransform: "rotate(45)",
  });
  pattern.append(
    svgElement("line", { x1: "0", y1: "0", x2: "0", y2: "6", stroke: "var(--hatch)", "stroke-width": "2.5" }),
  );
  const defs = svgElement("defs", {});
  defs.append(pattern);
  svg.prepend(defs);
}

/** Returns a new SVG element. */
export function svgElement(name: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
