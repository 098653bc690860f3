/** A button that opens a menu, by the menu button pattern of the ARIA Authoring Practices. */
import {
  type FocusEvent,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";

interface MenuProps {
  /** The accessible name of the button and of the menu. */
  readonly label: string;
  readonly text: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}

type Target = "first" | "last";
const OPENING_KEYS: Readonly<Record<string, Target>> = { ArrowDown: "first", ArrowUp: "last" };

/** The items are `MenuItem`s; choosing one closes the menu. */
export function Menu({ label, text, className = "button", children }: MenuProps) {
  const [target, setTarget] = useState<Target | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const id = useId();
  const isOpen = target !== null;
  useEffect(() => {
    if (target !== null)
      itemsOf(menu.current)
        .at(target === "first" ? 0 : -1)
        ?.focus();
  }, [target]);

  const close = (): void => {
    setTarget(null);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.key === "Escape" || event.key === "Tab") {
      if (event.key === "Escape") event.preventDefault();
      close();
    } else if (moveFocus(itemsOf(menu.current), event.key)) event.preventDefault();
  };
  const onBlur = (event: FocusEvent<HTMLDivElement>): void => {
    if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setTarget(null);
  };
  const onChoose = (event: MouseEvent<HTMLDivElement>): void => {
    if ((event.target as HTMLElement).closest("[role^=menuitem]") !== null) close();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only notices that the focus has left
    <div className="menu" onBlur={onBlur}>
      <button
        ref={button}
        type="button"
        // Safari focuses a clicked button only with a tabindex, and a menu without focus would close
        tabIndex={0}
        className={className}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setTarget(isOpen ? null : "first")}
        onKeyDown={(event) => {
          const opened = OPENING_KEYS[event.key];
          if (opened === undefined) return;
          event.preventDefault();
          setTarget(opened);
        }}
      >
        {text}
      </button>
      {isOpen && (
        <div
          ref={menu}
          id={id}
          className="menu-items"
          role="menu"
          aria-label={label}
          tabIndex={-1}
          onKeyDown={onKeyDown}
          onClick={onChoose}
        >
          {children}
        </div>
      )}
    </div>
  );
}

interface MenuItemProps {
  readonly onSelect: () => void;
  readonly children: ReactNode;
  /** Whether an option is chosen: of several with `isRadio`, else on or off; undefined for a command. */
  readonly isChecked?: boolean;
  readonly isRadio?: boolean;
}

export function MenuItem({ onSelect, children, isChecked, isRadio = false }: MenuItemProps) {
  const option = isRadio ? "menuitemradio" : "menuitemcheckbox";
  return (
    <button
      type="button"
      role={isChecked === undefined ? "menuitem" : option}
      {...(isChecked === undefined ? {} : { "aria-checked": isChecked })}
      tabIndex={-1}
      className="menu-item"
      onClick={onSelect}
    >
      {isChecked !== undefined && (
        <span className="menu-check" aria-hidden="true">
          {isChecked ? "✓" : ""}
        </span>
      )}
      {children}
    </button>
  );
}

/** Items under a heading of their own. */
export function MenuGroup({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  const id = useId();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a menu
    <div className="menu-group" role="group" aria-labelledby={id}>
      <span className="menu-heading" id={id}>
        {label}
      </span>
      {children}
    </div>
  );
}

function itemsOf(menu: HTMLElement | null): readonly HTMLElement[] {
  return menu === null ? [] : [...menu.querySelectorAll<HTMLElement>("[role^=menuitem]")];
}

/** Moves the focus as the key says; returns whether the key moves it. */
function moveFocus(items: readonly HTMLElement[], key: string): boolean {
  const at = items.indexOf(document.activeElement as HTMLElement);
  const next = nextItem(items, at, key);
  next?.focus();
  return next !== undefined;
}

function nextItem(items: readonly HTMLElement[], at: number, key: string): HTMLElement | undefined {
  if (key === "ArrowDown") return items[(at + 1) % items.length];
  if (key === "ArrowUp") return items.at(at - 1);
  if (key === "Home") return items[0];
  if (key === "End") return items.at(-1);
  if (key.length !== 1 || key === " ") return undefined;
  const after = [...items.slice(at + 1), ...items.slice(0, at + 1)];
  return after.find((item) => item.textContent?.trim().toLowerCase().startsWith(key.toLowerCase()));
}
