/** What happened on the days of a chart: events that sources state, and notes by people. */
import type { EventBody, Events } from "../api/types";

export interface ChartEvent {
  readonly id: string;
  readonly day: string;
  readonly kind: EventBody["kind"] | "note";
  readonly title: string;
  readonly url: string | null;
  /** Who says it; null unless it is a note. */
  readonly author: string | null;
}

/** Events that are too close to have a flag each. */
export interface Flag {
  readonly x: number;
  readonly events: readonly ChartEvent[];
}

export const EVENT_KINDS: Readonly<Record<ChartEvent["kind"], string>> = {
  release: "Release",
  pre_release: "Preview",
  post: "Post",
  mention: "Mention",
  outage: "Outage",
  note: "Note",
};

/** Returns the events and notes of a product, oldest first; a preview of a release explains nothing. */
export function chartEvents({ events, notes }: Pick<Events, "events" | "notes">): readonly ChartEvent[] {
  const stated = events
    .filter(({ kind }) => kind !== "pre_release")
    .map(({ event_id, day, kind, title, url }) => ({ id: event_id, day, kind, title, url, author: null }));
  const said = notes.map(({ event_id, day, title, url, author }) => ({
    ...{ id: event_id, day, title, url, author },
    kind: "note" as const,
  }));
  return [...stated, ...said].sort((a, b) => a.day.localeCompare(b.day));
}

/** Returns the events from one day to another, both inclusive. */
export function eventsBetween(
  events: readonly ChartEvent[],
  from: string,
  to: string,
): readonly ChartEvent[] {
  return events.filter(({ day }) => day >= from && day <= to);
}

/** Returns an event in a few words; a cause that a person names has the person's name. */
export function eventText({ kind, title, author }: ChartEvent): string {
  return author === null ? `${EVENT_KINDS[kind]}: ${title}` : `${author} says: ${title}`;
}

/** Returns the flags of events that are oldest first; two flags are at least `gap` pixels apart. */
export function flagsOf(
  events: readonly ChartEvent[],
  xOf: (day: string) => number,
  gap: number,
): readonly Flag[] {
  const flags: { x: number; events: ChartEvent[] }[] = [];
  for (const event of events) {
    const x = xOf(event.day);
    const last = flags.at(-1);
    if (last && x - last.x < gap) last.events.push(event);
    else flags.push({ x, events: [event] });
  }
  return flags;
}
