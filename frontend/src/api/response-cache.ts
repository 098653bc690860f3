/**
 * The last good answer of each request, kept in the browser for the hour in which the API is away.
 *
 * Cache Storage exists on https and localhost only, and may be switched off or full; without it the page works
 * and has nothing to fall back on.
 */

export interface KeptAnswer {
  readonly body: unknown;
  readonly receivedAt: number;
}

const STORE = "community-metrics-answers-1";
const RECEIVED_AT = "x-received-at";

async function opened(): Promise<Cache | null> {
  try {
    return await globalThis.caches.open(STORE);
  } catch {
    return null;
  }
}

/** Keeps the text of an answer; says nothing when that is not possible. */
export async function keep(url: string, text: string, receivedAt: number): Promise<void> {
  const store = await opened();
  const headers = { "content-type": "application/json", [RECEIVED_AT]: String(receivedAt) };
  await store?.put(url, new Response(text, { headers })).catch(() => undefined);
}

/** Returns the last good answer, or null. */
export async function kept(url: string): Promise<KeptAnswer | null> {
  const store = await opened();
  const found = await store?.match(url).catch(() => undefined);
  if (!found) return null;
  return { body: await found.json(), receivedAt: Number(found.headers.get(RECEIVED_AT)) };
}
