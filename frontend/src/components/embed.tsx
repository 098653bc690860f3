/** Markdown for a README: the chart of all series, and the chart and the badge of each. */
import { API_BASE_URL } from "../api/client";
import type { Line } from "../chart/lines";
import { copyText } from "../data/clipboard";
import { embedImages } from "../data/embed-images";
import { usePage } from "../hooks/contexts";

interface Props {
  readonly title: string;
  readonly lines: readonly Line[];
}

export function Embed({ title, lines }: Props) {
  const { announce } = usePage();
  const origin = API_BASE_URL === "" ? location.origin : "";
  const images = embedImages(title, lines, origin);
  const copy = async (markdown: string): Promise<void> => {
    const isCopied = await copyText(markdown);
    announce(isCopied ? "Markdown copied." : "The browser blocked copying. Select the text and copy it.");
  };
  return (
    <ul className="embed">
      {images.map(({ kind, alt, url }) => {
        const markdown = `![${alt}](${url})`;
        return (
          <li key={url}>
            <img src={url} alt={alt} height={kind === "badge" ? 20 : 64} loading="lazy" />
            <code>{markdown}</code>
            <button type="button" className="button small" onClick={() => void copy(markdown)}>
              Copy<span className="visually-hidden"> Markdown for {alt}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
