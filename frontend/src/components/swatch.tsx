import { type SeriesSymbol, seriesColour } from "../chart/colours";

const SHAPES: Readonly<Record<SeriesSymbol, string>> = {
  circle: "M6 2.4a3.6 3.6 0 1 1 0 7.2a3.6 3.6 0 1 1 0-7.2z",
  square: "M2.6 2.6h6.8v6.8h-6.8z",
  triangle: "M6 1.8l4.4 7.8h-8.8z",
  diamond: "M6 1.2l4 4.8l-4 4.8l-4-4.8z",
  star: "M6 1l1.5 3.3l3.5.4l-2.6 2.4l.7 3.6l-3.1-1.8l-3.1 1.8l.7-3.6l-2.6-2.4l3.5-.4z",
  wye: "M4.8 11v-4.3l-3.8-2.2l1.2-2l3.8 2.2l3.8-2.2l1.2 2l-3.8 2.2v4.3z",
  cross: "M4.6 1.2h2.8v3.4h3.4v2.8h-3.4v3.4h-2.8v-3.4h-3.4v-2.8h3.4z",
  hexagon: "M6 1.2l4.2 2.4v4.8l-4.2 2.4l-4.2-2.4v-4.8z",
};

interface Props {
  readonly index: number;
  readonly sdk: string | null;
}

/** The colour of a series. */
export function Swatch({ index, sdk }: Props) {
  return <SeriesMark colour={seriesColour(sdk, index)} symbol="circle" />;
}

interface SeriesMarkProps {
  readonly colour: number;
  readonly symbol: SeriesSymbol;
  readonly isWatched?: boolean;
}

/** The colour and mark of a series in a chart; grey for somebody else's metric. */
export function SeriesMark({ colour, symbol, isWatched = false }: SeriesMarkProps) {
  return (
    <svg className="swatch" viewBox="0 0 12 12" aria-hidden="true">
      <path className={isWatched ? "fill-watched" : `fill-${colour}`} d={SHAPES[symbol]} />
    </svg>
  );
}
