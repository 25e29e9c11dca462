import { asBuffer } from '../model/bytes.ts';
/** One line of a header block. Both texts are latin1: a character for each byte, so that nothing is lost or changed. */
export interface HeaderLine {
  readonly name: string;
  /** What stands behind the colon and its blank, further blanks included: a copy is to be the same to the byte. */
  readonly value: string;
  /** True where no blank stands behind the colon. */
  readonly tight?: boolean;
  /** True of a line without a colon, which is no header; its text is the name. */
  readonly bare?: boolean;
}

const NO_BYTES = new Uint8Array(0);
const FIRST_LINE = 'NATS/1.0';

const asText = (bytes: Uint8Array): string => asBuffer(bytes).toString('latin1');

/** The headers of a stored block in their order, repeated names included; lines without a colon are left out. */
export const parseHeaders = (block: Uint8Array): HeaderLine[] => parseHeaderLines(block).filter(({ bare }) => !bare);

/** All lines of a stored header block, for what is to be the same to the byte. */
export function parseHeaderLines(block: Uint8Array): HeaderLine[] {
  const all = asText(block).split('\r\n');
  // What is no status line is a header already: the server stores what it is sent.
  const lines = all[0]!.startsWith(FIRST_LINE) ? all.slice(1) : all;
  return lines.flatMap((line): HeaderLine[] => {
    const colon = line.indexOf(':');
    if (colon < 0) return line === '' ? [] : [{ name: line, value: '', bare: true }];
    const tight = line[colon + 1] !== ' ';
    return [{ name: line.slice(0, colon), value: line.slice(colon + (tight ? 1 : 2)), ...(tight && { tight }) }];
  });
}

/** A header block as the wire has it; empty where there are no lines. */
export function printHeaders(lines: readonly HeaderLine[]): Uint8Array {
  if (lines.length === 0) return NO_BYTES;
  const text = lines
    .map(({ name, value, tight, bare }) => (bare ? `${name}\r\n` : `${name}:${tight ? '' : ' '}${value}\r\n`))
    .join('');
  return Buffer.from(`${FIRST_LINE}\r\n${text}\r\n`, 'latin1');
}

/** A block with one line more, at its end. */
export function withHeader(block: Uint8Array, line: HeaderLine): Uint8Array {
  const added = printHeaders([line]);
  // Before the empty line that ends the block; behind the status line that begins what is added.
  return block.byteLength === 0 ? added : Buffer.concat([block.subarray(0, -2), added.subarray(FIRST_LINE.length + 2)]);
}

/** The first value of a header, without outer blanks. Names count to the letter, as they do for the server. */
export const headerValue = (lines: readonly HeaderLine[], name: string): string | undefined =>
  lines.find((line) => line.name === name && !line.bare)?.value.trim();

/** A text of ours as a header's value: UTF-8, and what would break the line goes. */
export const toHeaderValue = (text: string): string => Buffer.from(text.replace(/[\r\n\0]+/g, ' ')).toString('latin1');

/** A header's value as text to read; bytes that are no UTF-8 become replacement characters. */
export const fromHeaderValue = (value: string): string => Buffer.from(value, 'latin1').toString('utf8');

/** Whether a text is read from a header as it was written there. */
export const fitsHeader = (text: string): boolean => fromHeaderValue(toHeaderValue(text)).trim() === text;
