/**
 * Saves the last response of each request in the browser, for use during an outage of the API.
 *
 * Cache Storage is available on https and localhost only, and can be disabled or full. Without it the page works,
 * but has no data during an outage.
 */

export interface CachedResponse {
  readonly body: unknown;
  readonly receivedAt: number;
}

/** The number changes with the form of the saved bodies, so that a page reads only those it understands. */
const CACHE_NAME = "community-metrics-responses-2";
const RECEIVED_AT = "x-received-at";

async function openCache(): Promise<Cache | null> {
  try {
    return await globalThis.caches.open(CACHE_NAME);
  } catch {
    return null;
  }
}

/** Saves the text of a response; does nothing if Cache Storage is unavailable. */
export async function saveResponse(url: string, text: string, receivedAt: number): Promise<void> {
  const cache = await openCache();
  const headers = { "content-type": "application/json", [RECEIVED_AT]: String(receivedAt) };
  await cache?.put(url, new Response(text, { headers })).catch(() => undefined);
}

/** Returns the last saved response, or null. */
export async function cachedResponse(url: string): Promise<CachedResponse | null> {
  const cache = await openCache();
  const found = await cache?.match(url).catch(() => undefined);
  if (!found) return null;
  return { body: await found.json(), receivedAt: Number(found.headers.get(RECEIVED_AT)) };
}
