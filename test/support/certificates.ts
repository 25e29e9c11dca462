import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of a certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

function openssl(...args: string[]): void {
  const done = spawnSync('openssl', args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`openssl ${args.join(' ')}: ${done.stderr}`);
}

const pathsOf = (dir: string, name: string): Certificate => ({
  cert: join(dir, `${name}.pem`),
  key: join(dir, `${name}.key`),
});
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** An authority of its own, good for a day. */
export function makeAuthority(dir: string, name: string): Certificate {
  const made = pathsOf(dir, name);
  openssl('req', '-x509', ...EC, '-keyout', made.key, '-out', made.cert, '-subj', `/CN=${name}`, '-days', '1');
  return made;
}

/** A certificate for names as `DNS:localhost,IP:127.0.0.1`; with `days: -1` it has expired. */
export function makeCertificate(
  dir: string,
  name: string,
  { authority, names, days = 365 }: { authority: Certificate; names: string; days?: number },
): Certificate {
  const made = pathsOf(dir, name);
  const [request, extensions] = [join(dir, `${name}.csr`), join(dir, `${name}.ext`)];
  writeFileSync(extensions, `subjectAltName=${names}`);
  openssl('req', ...EC, '-keyout', made.key, '-out', request, '-subj', `/CN=${name}`);
  const signer = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial', '-days', String(days)];
  openssl('x509', '-req', '-in', request, '-out', made.cert, '-extfile', extensions, ...signer);
  return made;
}
