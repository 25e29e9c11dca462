import { OpsError } from '../errors/ops-error.ts';
import { parseServer, type ServerUrl } from '../model/server-url.ts';

/** Schemes by which people know other servers: such a word is no secret. */
const OTHERS = new Set(['amqp', 'amqps', 'http', 'https', 'kafka', 'leaf', 'mqtt', 'redis', 'tcp']);

const ESCAPES =
  'in a user or a password write / @ , : ? # as %2F %40 %2C %3A %3F %23, or give them with --user and --password';

/** What is wrong with a URL. Quotes nothing of it: where it cannot be read, all of it may be the password. */
function faultOf(text: string): { readonly why: string; readonly hint: string } {
  const hint = 'write it as nats://host:4222 or tls://host:4222';
  if (/^["'`]|["'`]$/.test(text))
    return { why: 'it stands in quotes', hint: 'leave the quotes out: the file it comes from keeps them' };
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text) ?? [];
  const known = scheme?.toLowerCase();
  if (known === 'ws' || known === 'wss') return { why: 'websockets are not spoken here', hint };
  if (scheme !== undefined && known !== 'nats' && known !== 'tls') {
    return { why: `${OTHERS.has(known!) ? `"${known}"` : 'what stands before its ://'} is no scheme of NATS`, hint };
  }
  if (text.includes('@')) return { why: 'its user, password and host cannot be told apart', hint: ESCAPES };
  return { why: 'it cannot be read', hint };
}

/**
 * Reads `host`, `host:port`, `nats://user:password@host:port`, `tls://host`; several with commas between.
 * @throws OpsError USAGE, which quotes nothing of what cannot be read
 */
export function parseServers(text: string, from: string): ServerUrl[] {
  const parts = text.split(',').map((part) => part.trim());
  // A comma in a password, or a second server? Only a scheme tells.
  const isSplit = parts.some((part, index) => index > 0 && part.includes('@') && !part.includes('://'));
  const read = parts.map(parseServer);
  const wrong = parts.findIndex((part, index) => part !== '' && (isSplit || !read[index]));
  if (wrong >= 0) {
    const { why, hint } = isSplit
      ? { why: 'its user, password and host cannot be told apart', hint: ESCAPES }
      : faultOf(parts[wrong]!);
    const which = parts.length > 1 ? `, the ${ordinal(wrong + 1)} of ${parts.length},` : '';
    throw new OpsError('USAGE', `${from}${isSplit ? '' : which} is not a server URL: ${why}`, {
      where: from,
      hints: [hint],
    });
  }
  return read.filter((server) => server !== undefined);
}

const ordinal = (number: number): string =>
  `${number}${['th', 'st', 'nd', 'rd'][number % 100 > 10 && number % 100 < 14 ? 0 : number % 10] ?? 'th'}`;
