/** So many bytes of a payload are shown; all of it is a download. */
export const SHOWN_BYTES = 64 * 1024;

/** Text cut where it is long, between two characters, and how long it is. `size` in bytes. */
export function cutText(name: string, text: string, size = Buffer.byteLength(text)): Record<string, unknown> {
  if (size <= SHOWN_BYTES) return { [name]: text };
  const cut = text.slice(0, SHOWN_BYTES);
  const whole = /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
  return { [name]: whole, [`${name}_cut`]: true, [`${name}_size`]: size };
}

/** The same of bytes in base64. */
export function cutBytes(
  name: string,
  base64: string,
  size = Buffer.byteLength(base64, 'base64'),
): Record<string, unknown> {
  if (size <= SHOWN_BYTES) return { [`${name}_base64`]: base64 };
  // Four characters are three bytes.
  const shown = base64.slice(0, Math.floor(SHOWN_BYTES / 3) * 4);
  return { [`${name}_base64`]: shown, [`${name}_cut`]: true, [`${name}_size`]: size };
}
