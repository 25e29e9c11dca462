import type { DeadLetter, LifeEvent } from '../../model/dead-letter.ts';
import { hexLines } from '../../model/hex.ts';
import { clean, cleanLine } from '../sanitize.ts';
import { flow, padEnd, secondOf, widthOf } from '../text.ts';
import type { Theme } from '../theme.ts';

/** So much of a payload is drawn, in characters of text or bytes of a dump; `--raw` writes all of it. */
const MOST_TEXT = 64 * 1024;
const MOST_BYTES = 4096;
const MOST_HEADERS = 200;

/** Draws a dead letter. What others wrote moves no cursor. */
export function renderDeadLetter(
  letter: DeadLetter,
  payload: Uint8Array | undefined,
  { theme, width }: { theme: Theme; width: number },
): string {
  const fact = (name: string, value: string | null): string[] =>
    value === null || value === '' ? [] : [flow(cleanLine(value), { width, first: `  ${padEnd(name, 12)}` })];
  const parts = [
    theme.strong(clean(letter.id)),
    ...fact('state', letter.cause ? `${letter.state} (${letter.cause.replaceAll('_', ' ')})` : letter.state),
    ...fact('reason', letter.detail ? `${letter.reason}: ${letter.detail}` : letter.reason),
    ...fact('subject', letter.subject),
    ...fact('request', letter.request_id),
    ...fact('trace', letter.traceparent ?? null),
    ...fact('size', letter.size === null ? null : `${letter.size} bytes`),
    ...fact('in the DLQ', letter.records.map(({ stream, seq }) => `${stream} ${seq}`).join(', ')),
    '',
    theme.strong('What happened'),
    ...timelineLines(letter.timeline, width, theme),
  ];
  const headers = Object.entries(letter.headers);
  if (headers.length > 0) parts.push('', theme.strong('Headers'), ...headerLines(headers));
  if (payload) parts.push('', theme.strong('Payload'), ...payloadLines(letter, payload, theme));
  return parts.join('\n');
}

function timelineLines(events: readonly LifeEvent[], width: number, theme: Theme): string[] {
  return events.map(({ at, detail, computed }) => {
    const time = at === null ? '' : secondOf(at);
    const line = flow(cleanLine(computed ? `${detail} (computed)` : detail), { width, first: `  ${padEnd(time, 21)}` });
    return computed ? theme.faint(line) : line;
  });
}

function headerLines(headers: readonly [string, readonly string[]][]): string[] {
  const lines = headers.flatMap(([name, values]) => values.map((value) => `  ${clean(name)}: ${clean(value)}`));
  return lines.length > MOST_HEADERS
    ? [...lines.slice(0, MOST_HEADERS), `  … and ${lines.length - MOST_HEADERS} more`]
    : lines;
}

function payloadLines(letter: DeadLetter, payload: Uint8Array, theme: Theme): string[] {
  if (payload.byteLength === 0) return [theme.faint('  (empty)')];
  const text = letter.payload;
  if (text === undefined || isBinary(text)) return dumpLines(payload, theme);
  const shown = clean((pretty(text) ?? text).slice(0, MOST_TEXT), { newlines: true });
  const lines = shown.split('\n').map((line) => `  ${line}`);
  const rest = text.length - MOST_TEXT;
  return rest > 0 ? [...lines, theme.faint(`  … ${rest} more characters; --raw writes all`)] : lines;
}

/** Text in which every tenth character is a control character is none. */
const isBinary = (text: string): boolean => {
  const controls = text.slice(0, 4096).match(/[\x00-\x08\x0e-\x1f]/g)?.length ?? 0;
  return controls * 10 > Math.min(text.length, 4096);
};

/** JSON with its lines broken; undefined for what is no JSON object or array. */
function pretty(text: string): string | undefined {
  if (!/^\s*[{[]/.test(text) || text.length > 4 * MOST_TEXT) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // A number that JavaScript would round is shown as it was written.
    return /\d{16}/.test(text) ? undefined : JSON.stringify(value, null, 2);
  } catch {
    return undefined;
  }
}

function dumpLines(bytes: Uint8Array, theme: Theme): string[] {
  const lines = hexLines(bytes, MOST_BYTES).map((line) => `  ${line}`);
  const rest = bytes.byteLength - MOST_BYTES;
  return rest > 0 ? [...lines, theme.faint(`  … ${rest} more bytes; --raw writes all`)] : lines;
}

/** A table of plain cells: the last column takes what is left. */
export function renderColumns(rows: readonly (readonly string[])[], rightAligned: ReadonlySet<number>): string[] {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, index) => Math.max(...rows.map((row) => widthOf(row[index]!))));
  return rows.map((row) =>
    row
      .map((cell, index) => (rightAligned.has(index) ? cell.padStart(widths[index]!) : padEnd(cell, widths[index]!)))
      .join('  ')
      .trimEnd(),
  );
}
