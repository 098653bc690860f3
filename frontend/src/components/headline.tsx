/** The sentence that answers "how are we doing?", and over which series. */
import type { Overview } from "../api/types";
import { headlineNotes, headlineParts } from "../data/headline-words";
import { usePage } from "../hooks/contexts";
import { Change } from "./change";

export function Headline({ overview }: { readonly overview: Overview }) {
  const { format } = usePage();
  const numbers = overview.headline?.numbers;
  const total = numbers?.type === "headline" ? format.count(numbers.total) : undefined;
  return (
    <div className="headline">
      <h2>
        {headlineParts(overview, format).map(({ text, change }, index) =>
          change ? (
            <Change key={text} change={change} />
          ) : (
            <span key={text} title={index === 0 ? total : undefined}>
              {text}
            </span>
          ),
        )}
      </h2>
      <p className="muted">{headlineNotes(overview, format)}</p>
    </div>
  );
}
