/** A text field with a list to choose from: the combobox pattern of ARIA 1.2, with the focus in the field. */
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";

export interface Option {
  readonly id: string;
  readonly name: string;
  /** What else tells it apart, such as its id. */
  readonly detail: string;
}

interface Props {
  readonly label: string;
  readonly placeholder: string;
  /** Returns the options for a text; all of them for none. */
  readonly search: (text: string) => readonly Option[];
  readonly onSelect: (id: string) => void;
  readonly onFocus?: () => void;
}

/** Options that are listed; more of the name finds the others. */
const MOST_LISTED = 50;

export function Combobox({ label, placeholder, search, onSelect, onFocus }: Props) {
  const id = useId();
  const [text, setText] = useState("");
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const found = useMemo(() => (isOpen ? search(text) : []), [search, text, isOpen]);
  const listed = found.slice(0, MOST_LISTED);
  const at = Math.min(active, listed.length - 1);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at, isOpen]);

  const select = (option: Option | undefined): void => {
    if (option === undefined) return;
    onSelect(option.id);
    setText("");
    setActive(0);
    setOpen(false);
  };
  const move = (step: 1 | -1): void => {
    setOpen(true);
    // the first key opens the list at its first or last option
    if (!isOpen) setActive(step > 0 ? 0 : MOST_LISTED);
    else if (listed.length > 0) setActive((at + step + listed.length) % listed.length);
  };
  const keys: Readonly<Record<string, () => void>> = {
    Enter: () => select(isOpen ? listed[at] : undefined),
    Escape: () => (isOpen ? setOpen(false) : setText("")),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  return (
    <div className="combobox">
      <label htmlFor={id}>{label}</label>
      <div className="combobox-field">
        <input
          id={id}
          type="text"
          role="combobox"
          aria-expanded={isOpen}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={isOpen && listed.length > 0 ? `${id}-${at}` : undefined}
          autoComplete="off"
          spellcheck={false}
          value={text}
          placeholder={placeholder}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setActive(0);
            setOpen(true);
          }}
          onFocus={onFocus}
          onClick={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={onKeyDown}
        />
        <div
          id={`${id}-list`}
          role="listbox"
          aria-label="Series found"
          ref={list}
          hidden={!isOpen || listed.length === 0}
        >
          {listed.map((option, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field handles the keys
            // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field
            <div
              key={option.id}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === at}
              // a pressed option must not take the focus, which would close the list
              onPointerDown={(event) => event.preventDefault()}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => select(option)}
            >
              {option.name} <span className="muted">{option.detail}</span>
            </div>
          ))}
        </div>
        {isOpen && (
          <p className={found.length === 0 ? "combobox-status is-empty" : "combobox-status"} role="status">
            {statusText(text, listed.length, found.length)}
          </p>
        )}
      </div>
    </div>
  );
}

function statusText(text: string, listed: number, found: number): string {
  if (found === 0)
    return text.trim() === "" ? "Nothing is left to add." : `No series has “${text.trim()}” in its name.`;
  return listed < found ? `${listed} of ${found}` : `${found} found`;
}
