import { describe, expect, test } from '@jest/globals';
import { DEFECTS } from '../../../src/lib/facts/defects.ts';
import {
  clockSymptom,
  expirySymptom,
  versionSymptoms,
  walkSymptoms,
  worstOf,
} from '../../../src/lib/health/symptoms.ts';
import type { Symptom } from '../../../src/lib/model/diagnosis.ts';
import type { CertificateFacts, Probe } from '../../../src/lib/nats/probe.ts';

const URL = 'tls://host:4222';
const asked = { tls: true, certificate: false };
const greeting = { version: '2.15.1', tls: 'required', auth: true, wantsCertificate: false } as const;
const certificate = { daysLeft: 30, issuer: 'Us CA' };
const reached: Probe = { url: URL, addresses: ['10.0.0.1', '10.0.0.2'], portMs: 1.26, greeting, certificate, asked };

const ok = (id: string, summary: string): Symptom => ({ id, status: 'ok', summary });
const bad = (id: string, summary: string, next: string): Symptom => ({ id, status: 'critical', summary, next });
const DNS = ok('dns', `${URL} is 10.0.0.1, 10.0.0.2`);
const PORT = ok('port', 'the port answers in 1.3 ms');
const GREETING = ok('greeting', 'nats-server 2.15.1; TLS required; credentials are wanted');

describe('the walk to a server', () => {
  test.each<{ name: string; probe: Probe; want: Symptom[] }>([
    {
      name: 'the name',
      probe: { url: URL, dnsError: 'ENOTFOUND', asked },
      want: [
        bad('dns', `${URL}: the name does not resolve (ENOTFOUND)`, 'check the host name, and the DNS of this machine'),
      ],
    },
    {
      name: 'a port that nobody listens on',
      probe: { url: URL, addresses: ['10.0.0.1', '10.0.0.2'], portError: 'ECONNREFUSED', asked },
      want: [
        DNS,
        bad(
          'port',
          `${URL}: connection refused: the machine is there, and nothing listens`,
          'check that nats-server runs there, and the port',
        ),
      ],
    },
    {
      name: 'a port that does not answer',
      probe: { url: URL, addresses: ['10.0.0.1', '10.0.0.2'], portError: 'ETIMEDOUT', asked },
      want: [
        DNS,
        bad('port', `${URL}: no connection (ETIMEDOUT)`, 'check the address, the network and firewalls between'),
      ],
    },
    ...(
      [
        [
          'NOT_NATS',
          'what answers there is no NATS server',
          'check the port: clients use 4222 by default, 8222 is for monitoring',
        ],
        [
          'SILENT',
          'the server says nothing: it may want TLS first',
          'a server with handshake_first needs --tlsfirst; else look at its log',
        ],
        [
          'ECONNRESET',
          'the connection broke before the greeting (ECONNRESET)',
          'a server with handshake_first needs --tlsfirst; else look at its log',
        ],
      ] as const
    ).map(([greetingError, says, next]) => ({
      name: `the greeting: ${greetingError}`,
      probe: { ...reached, greeting: undefined, greetingError },
      want: [DNS, PORT, bad('greeting', `${URL}: ${says}`, next)],
    })),
    {
      name: 'nothing: it has TLS',
      probe: reached,
      want: [DNS, PORT, GREETING, ok('tls', 'issued by Us CA, for this name, expires in 30 days')],
    },
    {
      name: 'nothing: it has no TLS, and none is asked for',
      probe: {
        ...reached,
        greeting: { ...greeting, tls: 'none', auth: false },
        certificate: undefined,
        asked: { ...asked, tls: false },
      },
      want: [DNS, PORT, ok('greeting', 'nats-server 2.15.1; TLS none; no credentials are wanted')],
    },
    {
      name: 'nothing: TLS came first, and a certificate of ours with it',
      probe: { ...reached, greeting: undefined, asked: { tls: true, certificate: true } },
      want: [DNS, PORT, ok('tls', 'issued by Us CA, for this name, expires in 30 days')],
    },
    {
      name: 'TLS, which it does not speak',
      probe: { ...reached, greeting: { ...greeting, tls: 'none' } },
      want: [
        DNS,
        PORT,
        ok('greeting', 'nats-server 2.15.1; TLS none; credentials are wanted'),
        bad(
          'tls',
          `${URL}: TLS is asked for, and the server does not speak it`,
          'use a nats:// URL without TLS files, or turn TLS on at the server',
        ),
      ],
    },
    {
      name: 'the handshake',
      probe: { ...reached, certificate: undefined, tlsError: 'EPROTO' },
      want: [
        DNS,
        PORT,
        GREETING,
        bad(
          'tls',
          `${URL}: the handshake failed (EPROTO)`,
          'check that the server speaks TLS there; if it wants a client certificate, give --tlscert and --tlskey',
        ),
      ],
    },
  ])('ends at $name', ({ probe, want }) => {
    expect(walkSymptoms(probe)).toEqual(want);
  });

  const wants = { greeting: { ...greeting, wantsCertificate: true } };
  test.each<{ name: string; facts?: Partial<CertificateFacts>; more?: Partial<Probe>; says: string[] }>([
    { name: 'in 29 days', facts: { daysLeft: 29 }, says: ['warn: the server’s certificate expires in 29 days'] },
    {
      name: 'not of this host',
      facts: { wrongName: 'it is for other' },
      says: ['critical: it is for other'],
    },
    {
      name: 'not trusted',
      facts: { untrusted: 'SELF_SIGNED' },
      says: ['critical: its certificate, issued by Us CA, is not trusted here (SELF_SIGNED)'],
    },
    {
      name: 'one of ours is wanted',
      more: wants,
      says: ['critical: the server wants a certificate of ours, and none is set'],
    },
    {
      name: 'one of ours is wanted and given',
      more: { ...wants, asked: { tls: true, certificate: true } },
      says: ['ok: issued by Us CA, for this name, expires in 30 days'],
    },
    {
      name: 'all at once',
      facts: { daysLeft: -1, untrusted: 'X', wrongName: 'other' },
      more: wants,
      says: [
        'critical: the server wants a certificate of ours, and none is set',
        'critical: its certificate, issued by Us CA, is not trusted here (X)',
        'critical: other',
        'critical: the server’s certificate expired within the last day',
      ],
    },
  ])('tells of its certificate: $name', ({ facts, more, says }) => {
    const told = walkSymptoms({ ...reached, ...more, certificate: { ...certificate, ...facts } }).slice(3);
    expect(told.map(({ status, summary }) => `${status}: ${summary}`)).toEqual(says);
    for (const { id, status, next } of told) {
      expect(id).toBe('tls');
      expect(next !== undefined).toBe(status !== 'ok');
    }
  });
});

test.each([
  [-2, 'critical', 'it expired 1 day ago'],
  [-3, 'critical', 'it expired 2 days ago'],
  [-1, 'critical', 'it expired within the last day'],
  [0, 'critical', 'it expires in 0 days'],
  [6, 'critical', 'it expires in 6 days'],
  [7, 'warn', 'it expires in 7 days'],
  [29, 'warn', 'it expires in 29 days'],
  [30, 'ok', 'it expires in 30 days'],
])('what has %i days left is %s', (days, status, summary) => {
  expect(expirySymptom('x', 'it', days, 'renew')).toEqual({
    id: 'x',
    status,
    summary,
    next: status === 'ok' ? undefined : 'renew',
  });
});

describe('the version of a server', () => {
  test.each([
    ['2.9.99', bad('version', 'nats-server 2.9.99 is older than 2.10.0', 'update nats-server')],
    ['2.10.0', ok('version', 'nats-server 2.10.0; it cannot pause a consumer (2.11)')],
    ['2.11.0', ok('version', 'nats-server 2.11.0')],
  ])('%s is judged', (version, want) => {
    expect(versionSymptoms({ version, replicas: 1, clustered: false })[0]).toEqual(want);
  });

  test('is followed by its defects; one that loses nothing is no fault', () => {
    const symptoms = versionSymptoms({ version: '2.12.0', replicas: 1, clustered: true }).slice(1);
    expect(symptoms.length).toBeGreaterThan(0);
    for (const { id, status, summary, next } of symptoms) {
      const defect = DEFECTS.find((each) => `defect.${each.id}` === id)!;
      expect(status).toBe(defect.severity === 'warn' ? 'warn' : 'ok');
      expect(summary).toBe(`${defect.effect} (${defect.source})`);
      expect(next).toBe(defect.advice);
    }
    expect(symptoms[0]).toMatchObject({ id: 'defect.dead-letters-lost', status: 'warn' });
    const noted = versionSymptoms({ version: '2.15.1', replicas: 1, clustered: false }).slice(1);
    expect(noted.map(({ status }) => status)).toContain('ok');
  });
});

describe('the clock of a server', () => {
  const user = { user: 'u', publish: { deny: [] }, subscribe: { deny: [] } };
  const agrees = (ms: number) => ok('clock', `the server’s clock agrees with ours within ${ms} ms`);
  const apart = (status: 'warn' | 'critical', words: string): Symptom => ({
    id: 'clock',
    status,
    summary: `the server’s clock is ${words} ours`,
    next: 'set both by the same time source (NTP)',
  });
  test.each<{ aheadMs?: number; withinMs: number; want: Symptom }>([
    { withinMs: 1, want: { id: 'clock', status: 'unknown', summary: 'the server does not tell its time' } },
    { aheadMs: 0, withinMs: 0.2, want: agrees(1) },
    { aheadMs: 2.5, withinMs: 0.8, want: agrees(4) },
    { aheadMs: -5009, withinMs: 10, want: agrees(5019) },
    { aheadMs: 5010, withinMs: 10, want: apart('warn', '5s ahead of') },
    { aheadMs: -60_009, withinMs: 10, want: apart('warn', '1m behind') },
    { aheadMs: -60_010, withinMs: 10, want: apart('critical', '1m behind') },
  ])('$aheadMs ms ahead, give or take $withinMs', ({ want, ...who }) => {
    expect(clockSymptom({ ...user, ...who })).toEqual(want);
  });

  test('is not told by a server that says nothing of us', () => {
    expect(clockSymptom(undefined).status).toBe('unknown');
  });
});

test.each<[Symptom['status'][], string]>([
  [[], 'ok'],
  [['ok', 'skipped'], 'ok'],
  [['skipped', 'warn', 'ok'], 'warn'],
  [['critical', 'skipped', 'unknown'], 'critical'],
])('of %j the worst is %s', (statuses, want) => {
  expect(worstOf(statuses.map((status) => ({ id: 'x', status, summary: '' })))).toBe(want);
});
