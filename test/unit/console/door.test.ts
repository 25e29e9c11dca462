import { describe, expect, test } from '@jest/globals';
import { HEADERS, hostsOf, type Knock, LOOPBACK, requireOwn, whyForeign } from '../../../src/lib/console/door.ts';

const hosts = hostsOf(LOOPBACK, 8222);
const knock = (more: Partial<Knock> = {}): Knock => ({
  method: 'GET',
  hosts: ['127.0.0.1:8222'],
  origin: undefined,
  site: undefined,
  mode: undefined,
  dest: undefined,
  ...more,
});

describe('who is let in', () => {
  const own = { origin: 'http://127.0.0.1:8222', site: 'same-origin' };
  const opened = { mode: 'navigate', dest: 'document' };
  test.each([
    { name: 'our page', door: 'api', more: own, want: true },
    { name: 'our page that acts', door: 'api', more: { ...own, method: 'POST' }, want: true },
    { name: 'a program without a browser that looks', door: 'api', more: {}, want: true },
    { name: 'a program that acts and says nothing of itself', door: 'api', more: { method: 'POST' }, want: false },
    {
      name: 'a program that acts and names our origin',
      door: 'api',
      more: { method: 'POST', origin: own.origin },
      want: true,
    },
    {
      name: 'a browser that says only where it comes from',
      door: 'api',
      more: { method: 'DELETE', site: own.site },
      want: true,
    },
    { name: 'what is put', door: 'api', more: { method: 'PUT' }, want: false },
    { name: 'what asks for the head', door: 'page', more: { method: 'HEAD' }, want: true },
    {
      name: 'our page under another of our names',
      door: 'api',
      more: { ...own, hosts: ['localhost:8222'] },
      want: false,
    },
    { name: 'another site', door: 'api', more: { site: 'cross-site' }, want: false },
    { name: 'a neighbour', door: 'api', more: { site: 'same-site' }, want: false },
    { name: 'what nobody knows', door: 'api', more: { site: 'x' }, want: false },
    { name: 'an address that was typed', door: 'page', more: { site: 'none', ...opened }, want: true },
    { name: 'a link elsewhere', door: 'page', more: { site: 'cross-site', ...opened }, want: true },
    {
      name: 'a frame elsewhere',
      door: 'page',
      more: { site: 'cross-site', mode: 'navigate', dest: 'iframe' },
      want: false,
    },
    {
      name: 'a script elsewhere that reads the page',
      door: 'page',
      more: { site: 'cross-site', mode: 'cors', dest: 'empty' },
      want: false,
    },
    { name: 'a link elsewhere to a part', door: 'part', more: { site: 'cross-site', ...opened }, want: false },
    { name: 'a part that was typed', door: 'part', more: { site: 'none' }, want: true },
    { name: 'an answer that was typed', door: 'api', more: { site: 'none' }, want: false },
    { name: 'a form elsewhere', door: 'page', more: { method: 'POST', site: 'cross-site', ...opened }, want: false },
    { name: 'no host', door: 'page', more: { hosts: [] }, want: false },
    { name: 'two hosts', door: 'page', more: { hosts: ['127.0.0.1:8222', '127.0.0.1:8222'] }, want: false },
  ] as const)('$name: $want', ({ door, more, want }) => {
    expect(whyForeign(door, knock(more), hosts) === undefined).toBe(want);
  });

  test.each(['127.0.0.1:8222', 'localhost:8222', '[::1]:8222'])('under %s', (host) => {
    expect(whyForeign('api', knock({ hosts: [host] }), hosts)).toBeUndefined();
  });

  test.each([
    '127.0.0.1',
    '127.0.0.1:82220',
    'x127.0.0.1:8222',
    'LOCALHOST:8222',
    'localhost:8222 ',
    '[::1]',
    '0.0.0.0:8222',
    '',
  ])('not under %j', (host) => {
    expect(whyForeign('page', knock({ hosts: [host] }), hosts)).toContain('is not this console');
  });

  test('a browser leaves out the port of the scheme', () => {
    expect(hostsOf(['localhost'], 80)).toEqual(['localhost:80', 'localhost']);
    expect(hostsOf(['localhost'], 81)).toEqual(['localhost:81']);
  });

  test('what it says of others is cut', () => {
    expect(whyForeign('page', knock({ hosts: ['x'.repeat(9000)] }), hosts)!.length).toBeLessThan(200);
    expect(whyForeign('page', knock({ origin: 'y'.repeat(9000) }), hosts)!.length).toBeLessThan(200);
  });
});

test('nothing that a page could take in from outside, or run from within, is allowed', () => {
  const rules = new Map(
    HEADERS['content-security-policy']!.split('; ').map((rule) => [
      rule.split(' ')[0],
      rule.split(' ').slice(1).join(' '),
    ]),
  );
  expect(Object.fromEntries(rules)).toMatchObject({
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'connect-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
  });
});

test.each([
  { name: 'the name by which it was reached', of: ['localhost:8222'], names: LOOPBACK, want: 'http://localhost:8222/' },
  { name: 'else the printed address', of: ['evil.example:8222'], names: LOOPBACK, want: 'http://127.0.0.1:8222/' },
  {
    name: 'which is that of elsewhere where it is asked from there',
    of: ['evil.example:8222'],
    names: ['ops.example', ...LOOPBACK],
    want: 'http://ops.example:8222/',
  },
])('whoever is sent away is told where it is: $name', ({ of, names, want }) => {
  const go = () => requireOwn('api', knock({ hosts: of, site: 'cross-site' }), hostsOf(names, 8222));
  expect(go).toThrow(expect.objectContaining({ hints: [`open ${want}`] }));
});
