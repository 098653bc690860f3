/** The figures that answer "how are we doing?", and the API's sentence that they rest on. */
import { API_BASE_URL } from "../api/client";
import { IS_FROZEN } from "../api/frozen";
import type { Overview } from "../api/types";
import { headlineBasis, headlineParts } from "../data/headline-words";
import { usePage } from "../hooks/contexts";
import { Change } from "./change";

export function Headline({ overview }: { readonly overview: Overview }) {
  const { format } = usePage();
  const numbers = overview.headline?.numbers;
  const { sentence, link, stars } = headlineBasis(overview, format);
  const total = numbers?.type === "headline" ? format.count(numbers.total) : undefined;
  return (
    <div className="headline">
      <h2>
        {headlineParts(overview, format).map(({ text, change }, index) =>
          change ? (
            <Change key={text} change={change} isExact />
          ) : (
            <span key={text} title={index === 0 ? total : undefined}>
              {text}
            </span>
          ),
        )}
      </h2>
      <p className="muted">
        {link === null || IS_FROZEN ? sentence : <a href={`${API_BASE_URL}${link}`}>{sentence}</a>}{" "}
        {stars !== null && <span className="headline-stars">{stars}</span>}
      </p>
    </div>
  );
}
