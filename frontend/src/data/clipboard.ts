/** Copies text to the clipboard; returns false if the browser does not allow it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Copies a PNG to the clipboard; returns false if the browser does not allow it.
 *
 * @throws whatever `png` is rejected with.
 */
export async function copyPng(png: Promise<Blob>): Promise<boolean> {
  try {
    // Safari only accepts a promise: after a wait the click no longer counts
    await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
    return true;
  } catch {
    await png;
    return false;
  }
}
