/** How a chart that is on the page is drawn at another size: a picture has more room than a card. */

type Draw = (width: number, height: number) => SVGSVGElement;

const draws = new WeakMap<SVGSVGElement, Draw>();

/** Remembers how to draw a chart at another size. */
export function rememberDraw(svg: SVGSVGElement, draw: Draw): void {
  draws.set(svg, draw);
}

/** Returns the chart at this size, which no document has yet; null if it cannot be drawn. */
export function redraw(svg: SVGSVGElement, width: number, height: number): SVGSVGElement | null {
  return draws.get(svg)?.(width, height) ?? null;
}
