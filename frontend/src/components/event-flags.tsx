/** What happened, as flags below a chart; a flag opens what it stands for, with before and after. */
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import type { Drawing } from "../chart/draw";
import type { Line } from "../chart/lines";
import { type ChartEvent, EVENT_KINDS, eventText, type Flag, flagsOf } from "../data/events";
import { usePage } from "../hooks/contexts";
import { BeforeAfter } from "./before-after";

interface Props {
  readonly title: string;
  readonly events: readonly ChartEvent[];
  readonly drawing: Drawing;
  readonly xOfDay: (day: string) => number;
  readonly lines: readonly Line[];
}

/** The width of a target: on a touch screen a finger, else what WCAG asks for at least. */
const TOUCH_PX = 44;
const POINTER_PX = 26;
const NAMED = 3;

export function EventFlags({ title, events, drawing, xOfDay, lines }: Props) {
  const { format } = usePage();
  const [openId, setOpenId] = useState<string | null>(null);
  const opener = useRef<HTMLButtonElement | null>(null);
  const flags = useMemo(() => {
    const gap = matchMedia("(pointer: coarse)").matches ? TOUCH_PX : POINTER_PX;
    return flagsOf(events, xOfDay, gap);
  }, [events, xOfDay]);
  const open = flags.find((flag) => flag.events[0]?.id === openId) ?? null;
  const close = (): void => {
    setOpenId(null);
    opener.current?.focus();
  };
  return (
    <>
      <ul className="flags" aria-label={`Events of ${title}`}>
        {flags.map((flag) => {
          const id = flag.events[0]?.id ?? "";
          const isOpen = flag === open;
          return (
            <li key={id} style={{ left: `${flag.x}px` }}>
              <button
                type="button"
                className="flag"
                aria-expanded={isOpen}
                aria-label={flagLabel(flag, format.day)}
                title={flag.events.map(eventText).slice(0, NAMED).join("\n")}
                style={{ "--reach": `${drawing.bottom - drawing.top}px` }}
                onClick={(event) => {
                  opener.current = event.currentTarget;
                  setOpenId(isOpen ? null : id);
                }}
                onKeyDown={(event) => {
                  if (event.key === "Escape" && isOpen) close();
                }}
              >
                <FlagIcon flag={flag} />
                {flag.events.length > 1 && <span aria-hidden="true">{flag.events.length}</span>}
              </button>
            </li>
          );
        })}
      </ul>
      {open && <EventPanel key={openId} flag={open} lines={lines} onClose={close} />}
    </>
  );
}

/** Returns the name of a flag: how many events it has, the days, and the first events. */
function flagLabel({ events }: Flag, day: (text: string) => string): string {
  const [first, last] = [events[0]?.day ?? "", events.at(-1)?.day ?? ""];
  const count = events.length > 1 ? `${events.length} events, ` : "";
  const days = first === last ? day(first) : `${day(first)} to ${day(last)}`;
  const more = events.length > NAMED ? `; ${events.length - NAMED} more` : "";
  return `${count}${days}: ${events.slice(0, NAMED).map(eventText).join("; ")}${more}`;
}

/** A note by a person has a mark of its own: its cause is said, not measured. */
function FlagIcon({ flag }: { readonly flag: Flag }) {
  const kinds = new Set(flag.events.map(({ kind }) => kind));
  if (kinds.has("outage")) return <FlagMark path="M6 1l5.5 10h-11z" />;
  return (
    <FlagMark
      path={
        kinds.has("note")
          ? "M1 2h10v7h-6l-3 2.5v-2.5h-1z"
          : "M3 1v11h-1.2v-11zM3.6 1.4h7.4l-2 2.8l2 2.8h-7.4z"
      }
    />
  );
}

function FlagMark({ path }: { readonly path: string }) {
  return (
    <svg viewBox="0 0 12 12" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

interface PanelProps {
  readonly flag: Flag;
  readonly lines: readonly Line[];
  readonly onClose: () => void;
}

function EventPanel({ flag, lines, onClose }: PanelProps) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => panel.current?.focus(), []);
  const stated = flag.events.filter(({ author }) => author === null);
  const said = flag.events.filter(({ author }) => author !== null);
  return (
    <section
      className="event-panel"
      aria-label="Events"
      ref={panel}
      tabIndex={-1}
      onKeyDown={(event: KeyboardEvent<HTMLElement>) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <button type="button" className="button small event-close" onClick={onClose}>
        Close<span className="visually-hidden"> the events</span>
      </button>
      {stated.length > 0 && <EventList events={stated} lines={lines} />}
      {said.length > 0 && (
        <>
          <h4>What people say</h4>
          <EventList events={said} lines={lines} />
        </>
      )}
    </section>
  );
}

function EventList({
  events,
  lines,
}: {
  readonly events: readonly ChartEvent[];
  readonly lines: readonly Line[];
}) {
  return (
    <ul>
      {events.map((event) => (
        <EventItem key={event.id} event={event} lines={lines} />
      ))}
    </ul>
  );
}

function EventItem({ event, lines }: { readonly event: ChartEvent; readonly lines: readonly Line[] }) {
  const { format } = usePage();
  const [isCompared, setCompared] = useState(false);
  const { kind, title, url, author, day, id } = event;
  const text = author === null ? title : `“${title}”`;
  return (
    <li>
      <p>
        <span className="tag">{EVENT_KINDS[kind]}</span> <time dateTime={day}>{format.day(day)}</time>{" "}
        {url === null ? text : <a href={url}>{text}</a>}
        {author !== null && <span className="event-author"> — {author}</span>}
      </p>
      <button
        type="button"
        className="button small"
        aria-expanded={isCompared}
        onClick={() => setCompared(!isCompared)}
      >
        Before and after<span className="visually-hidden"> {title}</span>
      </button>
      {isCompared && (
        <ul className="before-after">
          {lines.map((line) => (
            <BeforeAfter key={line.id} metricId={line.id} name={line.name} eventId={id} />
          ))}
        </ul>
      )}
    </li>
  );
}
