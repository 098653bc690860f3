/** The hatched ground of a running period: an SVG pattern, which Plot has no word for. */

const SVG = "http://www.w3.org/2000/svg";
// one id for all charts: a page resolves it to the first, and all of them look the same
const ID = "cm-hatch";

/** Returns the fill that `addHatch` makes known. */
export function hatchFill(): string {
  return `url(#${ID})`;
}

/** Puts the pattern into a chart. */
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
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
