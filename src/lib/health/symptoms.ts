import { type DefectScope, defectsOf } from '../facts/defects.ts';
import { atLeast, OLDEST_SERVER } from '../facts/versions.ts';
import type { Symptom } from '../model/diagnosis.ts';
import { tookMs } from '../model/units.ts';
import { type Health, worse } from '../model/verdict.ts';
import type { Probe } from '../nats/probe.ts';
import type { WhoAmI } from '../nats/whoami.ts';
import { plural, rate } from './check.ts';

/** Days before a certificate or credentials expire. */
const EXPIRY = { soon: 30, critical: 7 };
/** How far clocks may be apart, in milliseconds: ages, `--since` and pauses are told by both. */
const SKEW = { warn: 5000, critical: 60_000 };

/** Where the walk to one server ended: name, port, greeting, TLS. Pure. */
export function walkSymptoms(probe: Probe): Symptom[] {
  const { url, addresses, dnsError, portMs, portError, greeting, greetingError } = probe;
  if (dnsError !== undefined) {
    return [
      bad('dns', `${url}: the name does not resolve (${dnsError})`, 'check the host name, and the DNS of this machine'),
    ];
  }
  const dns = ok('dns', `${url} is ${addresses!.join(', ')}`);
  if (portError !== undefined) return [dns, bad('port', `${url}: ${portWords(portError)}`, portAdvice(portError))];
  const port = ok('port', `the port answers in ${Math.round(portMs! * 10) / 10} ms`);
  if (greetingError !== undefined) {
    const next =
      greetingError === 'NOT_NATS'
        ? 'check the port: clients use 4222 by default, 8222 is for monitoring'
        : 'a server with handshake_first needs --tlsfirst; else look at its log';
    return [dns, port, bad('greeting', `${url}: ${greetingWords(greetingError)}`, next)];
  }
  const hello = greeting
    ? [
        ok(
          'greeting',
          `nats-server ${greeting.version}; TLS ${greeting.tls}; ${greeting.auth ? 'credentials are wanted' : 'no credentials are wanted'}`,
        ),
      ]
    : [];
  return [dns, port, ...hello, ...tlsSymptoms(probe)];
}

const ok = (id: string, summary: string): Symptom => ({ id, status: 'ok', summary });
const bad = (id: string, summary: string, next: string): Symptom => ({ id, status: 'critical', summary, next });

const portWords = (code: string): string =>
  code === 'ECONNREFUSED' ? 'connection refused: the machine is there, and nothing listens' : `no connection (${code})`;
const portAdvice = (code: string): string =>
  code === 'ECONNREFUSED'
    ? 'check that nats-server runs there, and the port'
    : 'check the address, the network and firewalls between';

function greetingWords(code: string): string {
  if (code === 'NOT_NATS') return 'what answers there is no NATS server';
  return code === 'SILENT'
    ? 'the server says nothing: it may want TLS first'
    : `the connection broke before the greeting (${code})`;
}

function tlsSymptoms({ certificate, tlsError, url, greeting, asked }: Probe): Symptom[] {
  if (asked.tls && greeting?.tls === 'none') {
    const next = 'use a nats:// URL without TLS files, or turn TLS on at the server';
    return [bad('tls', `${url}: TLS is asked for, and the server does not speak it`, next)];
  }
  if (tlsError !== undefined) {
    const next =
      'check that the server speaks TLS there; if it wants a client certificate, give --tlscert and --tlskey';
    return [bad('tls', `${url}: the handshake failed (${tlsError})`, next)];
  }
  if (!certificate) return [];
  const { daysLeft, issuer, untrusted, wrongName } = certificate;
  const faults: Symptom[] = [];
  if (greeting?.wantsCertificate && !asked.certificate) {
    const next = 'give a client certificate with --tlscert FILE and --tlskey FILE';
    faults.push(bad('tls', 'the server wants a certificate of ours, and none is set', next));
  }
  if (untrusted !== undefined) {
    faults.push(
      bad(
        'tls',
        `its certificate, issued by ${issuer}, is not trusted here (${untrusted})`,
        'name the authority with --tlsca FILE',
      ),
    );
  }
  if (wrongName !== undefined) faults.push(bad('tls', wrongName, 'connect by a name that is in the certificate'));
  const expiry = expirySymptom('tls', 'the server’s certificate', daysLeft, 'renew the certificate of the server');
  if (expiry.status !== 'ok') faults.push(expiry);
  return faults.length > 0
    ? faults
    : [ok('tls', `issued by ${issuer}, for this name, expires in ${plural(daysLeft, 'day')}`)];
}

/** Whether something that expires does so soon. */
export function expirySymptom(id: string, what: string, daysLeft: number, next: string): Symptom {
  if (daysLeft < 0) {
    const days = -daysLeft - 1;
    return bad(id, `${what} expired ${days === 0 ? 'within the last day' : `${plural(days, 'day')} ago`}`, next);
  }
  const status: Health = daysLeft < EXPIRY.critical ? 'critical' : daysLeft < EXPIRY.soon ? 'warn' : 'ok';
  return { id, status, summary: `${what} expires in ${plural(daysLeft, 'day')}`, ...(status !== 'ok' && { next }) };
}

/** The version, and everything that is known of it. */
export function versionSymptoms(scope: DefectScope): Symptom[] {
  const { version } = scope;
  const isOld = !atLeast(version, OLDEST_SERVER);
  const own: Symptom = isOld
    ? bad('version', `nats-server ${version} is older than ${OLDEST_SERVER}`, 'update nats-server')
    : ok('version', `nats-server ${version}${atLeast(version, '2.11.0') ? '' : '; it cannot pause a consumer (2.11)'}`);
  const defects = defectsOf(scope).map(
    ({ id, effect, advice, source, severity }): Symptom => ({
      id: `defect.${id}`,
      status: severity === 'warn' ? 'warn' : 'ok',
      summary: `${effect} (${source})`,
      next: advice,
    }),
  );
  return [own, ...defects];
}

/** How far the clocks are apart. */
export function clockSymptom(who: WhoAmI | undefined): Symptom {
  if (who?.aheadMs === undefined)
    return { id: 'clock', status: 'unknown', summary: 'the server does not tell its time' };
  const apart = Math.max(0, Math.abs(who.aheadMs) - who.withinMs);
  const status = rate(apart, SKEW);
  const way = who.aheadMs > 0 ? 'ahead of' : 'behind';
  return status === 'ok'
    ? ok(
        'clock',
        `the server’s clock agrees with ours within ${Math.max(1, Math.ceil(Math.abs(who.aheadMs) + who.withinMs))} ms`,
      )
    : {
        id: 'clock',
        status,
        summary: `the server’s clock is ${tookMs(apart)} ${way} ours`,
        next: 'set both by the same time source (NTP)',
      };
}

/** The worst of all. */
export const worstOf = (symptoms: readonly Symptom[]): Health =>
  symptoms.reduce<Health>((worst, { status }) => (status === 'skipped' ? worst : worse(worst, status)), 'ok');
