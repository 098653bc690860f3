import type { MouseEvent, ReactNode } from "react";
import { usePage, useView } from "../hooks/contexts";
import { serializeView } from "../view/url";
import type { View } from "../view/view";

interface Props {
  readonly changes: Partial<View>;
  readonly children: ReactNode;
  readonly className?: string;
  readonly label?: string;
}

/** A link to another view of this page, which opens in place; a new tab opens it too. */
export function ViewLink({ changes, children, className, label }: Props) {
  const { view } = useView();
  const { change } = usePage();
  const open = (event: MouseEvent<HTMLAnchorElement>): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    change(changes);
    scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
  };
  return (
    <a
      href={`${location.pathname}${serializeView({ ...view, ...changes })}`}
      className={className}
      aria-label={label}
      onClick={open}
    >
      {children}
    </a>
  );
}
