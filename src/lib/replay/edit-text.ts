import { isPlainSubject } from '../facts/subjects.ts';
import type { StoredMessage } from '../model/message.ts';
import { fromHeaderValue, type HeaderLine, parseHeaders, toHeaderValue } from '../nats/raw-headers.ts';

/** A message as a person edited it. */
export interface Edited {
  readonly subject: string;
  readonly headers: readonly HeaderLine[];
  readonly payload: Uint8Array;
}

const HELP = `# The subject, the headers, an empty line, the payload. Lines here that begin with # are left out.
# It is replayed as it stands here, also unchanged: save an empty file to leave this one where it is.
`;
const BASE64 = '(base64)';
const SUBJECT = 'Subject';

const headerText = (line: HeaderLine): string => `${fromHeaderValue(line.name)}: ${fromHeaderValue(line.value)}`;

function decodeText(payload: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
    return text.includes('\0') || text.includes('\r') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** A message as a text to edit. A payload that is no text is written as base64, and says so behind the subject. */
export function printForEdit(id: string, message: StoredMessage): string {
  const text = decodeText(message.payload);
  const head = [`${SUBJECT}: ${message.subject}${text === undefined ? ` ${BASE64}` : ''}`];
  const body = text ?? Buffer.from(message.payload).toString('base64');
  return `# ${id}\n${HELP}${[...head, ...parseHeaders(message.headers).map(headerText)].join('\n')}\n\n${body}\n`;
}

/**
 * Reads an edited text. A header line that was not changed keeps its bytes, also those that no text can show.
 * @returns the message, `undefined` for a text that was emptied, or what is wrong with it
 */
export function parseEdited(text: string, before: StoredMessage): Edited | string | undefined {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  while (lines[0]?.startsWith('#')) lines.shift();
  if (lines.every((line) => line.trim() === '')) return undefined;
  const end = lines.indexOf('');
  if (end < 0) return 'there is no empty line between the headers and the payload';
  const [first = '', ...headerLines] = lines.slice(0, end).filter((line) => !line.startsWith('#'));
  const [, written = ''] = /^Subject:\s*(.*?)\s*$/.exec(first) ?? [];
  const isBinary = written.endsWith(BASE64);
  const subject = written.replace(BASE64, '').trim();
  if (!isPlainSubject(subject)) return `the first line is no subject: ${first}`;
  const known = new Map(parseHeaders(before.headers).map((line) => [headerText(line), line]));
  const headers: HeaderLine[] = [];
  for (const line of headerLines) {
    const same = known.get(line);
    const [, name, value] = /^([!-9;-~]+):\s*(.*)$/.exec(line) ?? [];
    if (same) headers.push(same);
    else if (name !== undefined && value !== undefined) headers.push({ name, value: toHeaderValue(value) });
    else return `this is no header: ${line}`;
  }
  // The last line feed is the editor's.
  const body = lines
    .slice(end + 1)
    .join('\n')
    .replace(/\n$/, '');
  return { subject, headers, payload: isBinary ? Buffer.from(body, 'base64') : Buffer.from(body, 'utf8') };
}

/** The words of an editor's command: `code --wait`, `"/Program Files/ed" -x`. Nothing in them is expanded. */
export function editorWords(command: string): string[] {
  const words = command.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single));
}
