/** Which colour and which mark a series has: an SDK keeps its own everywhere, others go by their place. */

export const COLOURS = 8;
const OF_SDK: Readonly<Record<string, number>> = { python: 0, nodejs: 2, rust: 1 };
const FREE = [3, 4, 5, 6, 7] as const;

/** Returns the number of the colour (`--series-0` …); never red against green alone, see tokens.css. */
export function colourOf(sdk: string | null, index: number): number {
  if (sdk !== null && sdk in OF_SDK) return OF_SDK[sdk] ?? 0;
  return sdk === null ? index % COLOURS : (FREE[index % FREE.length] ?? 3);
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
export function symbolOf(index: number): SeriesSymbol {
  return SYMBOLS[index % SYMBOLS.length] ?? "circle";
}

/** Returns the colour of each series of one chart: an SDK's own for its first, free ones after that. */
export function coloursOf(sdks: readonly (string | null)[]): readonly number[] {
  const taken = new Set<number>();
  return sdks.map((sdk, index) => {
    const own = colourOf(sdk, index);
    const free = [own, ...Array.from({ length: COLOURS }, (_, step) => (own + step + 1) % COLOURS)];
    const chosen = free.find((one) => !taken.has(one)) ?? own;
    taken.add(chosen);
    return chosen;
  });
}
