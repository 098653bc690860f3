/** Assigns colours and marks to series: by SDK if there is one, else by position. */

export const COLOUR_COUNT = 8;
const SDK_COLOURS: Readonly<Record<string, number>> = { python: 0, nodejs: 2, rust: 1 };
const OTHER_COLOURS = [3, 4, 5, 6, 7] as const;

/** Returns the index of a series' colour, `--series-0` to `--series-7` in tokens.css. */
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

/** Returns the mark of the series at a position; the first eight differ. */
export function seriesSymbol(index: number): SeriesSymbol {
  return SYMBOLS[index % SYMBOLS.length] ?? "circle";
}

/** Returns the colour of each series of a chart; the first series of an SDK has the SDK's colour. */
export function assignColours(sdks: readonly (string | null)[]): readonly number[] {
  const used = new Set<number>();
  return sdks.map((sdk, index) => {
    const preferred = seriesColour(sdk, index);
    const candidates = [
      preferred,
      ...Array.from({ length: COLOUR_COUNT }, (_, step) => (preferred + step + 1) % COLOUR_COUNT),
    ];
    const chosen = candidates.find((colour) => !used.has(colour)) ?? preferred;
    used.add(chosen);
    return chosen;
  });
}
