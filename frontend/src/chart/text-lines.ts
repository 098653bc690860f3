/** Breaks text into lines of a measured width, so that no long name is cut. */

/** Returns lines of at most this width; a word that is wider than a line continues on the next. */
export function wrapText(
  text: string,
  maxWidth: number,
  widthOf: (text: string) => number,
): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const joined = line === "" ? word : `${line} ${word}`;
    if (widthOf(joined) <= maxWidth) {
      line = joined;
      continue;
    }
    if (line !== "") lines.push(line);
    const pieces = splitWord(word, maxWidth, widthOf);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? "";
  }
  return line === "" ? lines : [...lines, line];
}

function splitWord(word: string, maxWidth: number, widthOf: (text: string) => number): readonly string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const character of word) {
    if (piece !== "" && widthOf(piece + character) > maxWidth) {
      pieces.push(piece);
      piece = "";
    }
    piece += character;
  }
  return [...pieces, piece];
}

/**
 * Returns text in at most `most` lines, with `end` behind it. Where it is too long, an ellipsis stands for the end
 * of `text`, so that `end` stays.
 */
export function cutText(
  text: string,
  end: string,
  { maxWidth, most }: { readonly maxWidth: number; readonly most: number },
  widthOf: (text: string) => number,
): readonly string[] {
  const characters = [...text];
  const wrap = (length: number): readonly string[] => {
    const isCut = length < characters.length;
    const kept = characters.slice(0, length).join("");
    return wrapText(`${isCut ? `${kept.trimEnd()}…` : kept}${end}`, maxWidth, widthOf);
  };
  for (let length = characters.length; length > 0; length -= 1) {
    const lines = wrap(length);
    if (lines.length <= most) return lines;
  }
  return wrap(0).slice(0, most);
}

export interface Placed {
  readonly x: number;
  readonly row: number;
}

/** Places items of these widths side by side, in as many rows as they need. */
export function flow(widths: readonly number[], maxWidth: number): readonly Placed[] {
  let x = 0;
  let row = 0;
  return widths.map((width) => {
    if (x > 0 && x + width > maxWidth) {
      x = 0;
      row += 1;
    }
    const placed = { x, row };
    x += width;
    return placed;
  });
}
