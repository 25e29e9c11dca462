import { OpsError } from '../errors/ops-error.ts';
import { type HeaderLine, toHeaderValue } from '../nats/raw-headers.ts';

/** Headers of the server that make sense on a request. */
const SENSIBLE: readonly string[] = ['Nats-TTL', 'Nats-Expected-Stream'];

const refused = (text: string, why: string, hint: string): OpsError =>
  new OpsError('USAGE', `--header ${JSON.stringify(text)} cannot be sent`, { where: '--header', why, hints: [hint] });

/** Reads `Name: value`. @throws OpsError USAGE for what is none, and for names that the server or this tool reserves */
export function parseHeader(text: string): HeaderLine {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(0, colon)).trim();
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
    throw refused(text, 'It has no name before a colon, or the name holds what a header cannot.', 'write Name:value');
  }
  const value = text.slice(colon + 1).trim();
  if (/[\r\n\0]/.test(value)) {
    throw refused(text, 'A line break would end the header.', 'take the line break out');
  }
  const known = name.toLowerCase();
  if (known === 'nats-msg-id') throw refused(text, 'It is made of the id of the request.', 'give the id with --id');
  const sensible = SENSIBLE.find((each) => each.toLowerCase() === known);
  // The server knows its names to the letter; written otherwise it would be a header without effect.
  if (sensible) return { name: sensible, value: toHeaderValue(value) };
  if (known.startsWith('nats-') || known.startsWith('osapi-')) {
    throw refused(
      text,
      known.startsWith('nats-')
        ? 'The server acts on headers of this prefix: it would refuse, move or remove messages.'
        : 'Headers of this prefix tell dead letters and replays apart.',
      'use another name; of the server’s, Nats-TTL and Nats-Expected-Stream can be given',
    );
  }
  return { name, value: toHeaderValue(value) };
}
