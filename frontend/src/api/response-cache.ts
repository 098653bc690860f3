/**
 * The last good answer of each request, kept in the browser for the hour in which the API is away.
 *
 * Cache Storage exists on https and localhost only, and may be switched off or full; without it the page works
 * and has nothing to fall back on.
 */

export interface CachedResponse {
  readonly body: unknown;
  readonly receivedAt: number;
}

const CACHE_NAME = "community-metrics-answers-1";
const RECEIVED_AT = "x-received-at";

async function openCache(): Promise<Cache | null> {
  try {
    return await globalThis.caches.open(CACHE_NAME);
  } catch {
    return null;
  }
}

/** Keeps the text of an answer; says nothing when that is not possible. */
export async function saveResponse(url: string, text: string, receivedAt: number): Promise<void> {
  const store = await openCache();
  const headers = { "content-type": "application/json", [RECEIVED_AT]: String(receivedAt) };
  await store?.put(url, new Response(text, { headers })).catch(() => undefined);
}

/** Returns the last good answer, or null. */
export async function cachedResponse(url: string): Promise<CachedResponse | null> {
  const store = await openCache();
  const found = await store?.match(url).catch(() => undefined);
  if (!found) return null;
  return { body: await found.json(), receivedAt: Number(found.headers.get(RECEIVED_AT)) };
}
