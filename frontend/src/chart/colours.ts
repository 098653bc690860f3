/** Which colour and which mark a series has: an SDK keeps its own everywhere, others go by their place. */

export const COLOUR_COUNT = 8;
const SDK_COLOURS: Readonly<Record<string, number>> = { python: 0, nodejs: 2, rust: 1 };
const OTHER_COLOURS = [3, 4, 5, 6, 7] as const;

/** Returns the number of the colour (`--series-0` …); never red against green alone, see tokens.css. */
export function seriesColour(sdk: string | null, index: number): number {
  if (sdk !== null && sdk in SDK_COLOURS) return SDK_COLOURS[sdk] ?? 0;
  return sdk === null ? index % COLOUR_COUNT : (OTHER_COLOURS[index % OTHER_COLOURS.length] ?? 3);
}

export const SYMBOLS = [
  "circle",
  "square",
  "triangle",
  "diamond",
  "star",
  "wye",
  "cross",
  "hexagon",
] as const;
export type SeriesSymbol = (typeof SYMBOLS)[number];

/** Returns a mark for each of several series; no two of up to eight share one, whatever their colours. */
export function seriesSymbol(index: number): SeriesSymbol {
  return SYMBOLS[index % SYMBOLS.length] ?? "circle";
}

/** Returns the colour of each series of one chart: an SDK's own for its first, free ones after that. */
export function assignColours(sdks: readonly (string | null)[]): readonly number[] {
  const taken = new Set<number>();
  return sdks.map((sdk, index) => {
    const own = seriesColour(sdk, index);
    const free = [own, ...Array.from({ length: COLOUR_COUNT }, (_, step) => (own + step + 1) % COLOUR_COUNT)];
    const chosen = free.find((one) => !taken.has(one)) ?? own;
    taken.add(chosen);
    return chosen;
  });
}
