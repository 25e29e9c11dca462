import { describe, expect, test } from '@jest/globals';
import {
  filterBody,
  filtersOf,
  parseRoute,
  parseTyped,
  parseTypedAll,
  printRoute,
  withFilter,
  withoutFilter,
} from '../../../src/console/route.ts';

const query = (text: string): URLSearchParams => new URLSearchParams(text);

describe('an address of the page', () => {
  test.each([
    ['', 'queues', '', ''],
    ['#/', 'queues', '', ''],
    ['#/nothing/x', 'queues', '', ''],
    ['#/dead?queue=A&by=subject', 'dead', '', 'queue=A&by=subject'],
    ['#/replay/a%2Fb', 'replay', 'a/b', ''],
    ['#/request/%E0%A4%A', 'request', '%E0%A4%A', ''],
    ['#/dead?match=a%3Fb', 'dead', '', 'match=a%3Fb'],
  ])('%s is read', (hash, page, id, search) => {
    const route = parseRoute(hash);
    expect([route.page, route.id, `${route.query}`]).toEqual([page, id, search]);
  });

  test.each([
    { page: 'dead', id: '', query: query('where=detail%3D%C3%A4&where=x&id=Q%2Fw%2F1') },
    { page: 'request', id: 'a/b?c#d', query: query('') },
    { page: 'replay', id: '', query: query('') },
  ] as const)('is read as it was printed: %j', (route) => {
    const again = parseRoute(printRoute(route));
    expect([again.page, again.id, `${again.query}`]).toEqual([route.page, route.id, `${route.query}`]);
  });
});

describe('filters', () => {
  test.each([
    ['queue:REQUESTS', { key: 'queue', value: 'REQUESTS' }],
    ['--since=1h', { key: 'since', value: '1h' }],
    ['--older-than 7d', { key: 'older-than', value: '7d' }],
    ['detail=timeout*', { key: 'where', value: 'detail=timeout*' }],
    ['json:.a.b!=1', { key: 'where', value: 'json:.a.b!=1' }],
    ['header:Tenant=acme', { key: 'where', value: 'header:Tenant=acme' }],
    ['queue:', { key: 'match', value: 'queue:' }],
    ['http://x', { key: 'match', value: 'http://x' }],
    ['  ', undefined],
  ])('%j is understood', (typed, want) => {
    expect(parseTyped(typed)).toEqual(want);
  });

  test.each([
    ['queue:REQUESTS since:1h', ['queue REQUESTS', 'since 1h']],
    ['queue:REQUESTS, since:1h, detail=timeout*', ['queue REQUESTS', 'since 1h', 'where detail=timeout*']],
    ['detail=no route to host', ['where detail=no route to host']],
    ['detail=a b json:.kind=x', ['where detail=a b', 'where json:.kind=x']],
    ['some text: of it', ['match some text: of it']],
    [' ', []],
  ])('%j is typed at once', (typed, want) => {
    expect(parseTypedAll(typed).map(({ key, value }) => `${key} ${value}`)).toEqual(want);
  });

  test('of one kind are any of them, but a time is one; what was picked among others is no longer', () => {
    const more = withFilter(query('queue=A&since=1h&pick=x&id=y'), 'queue', 'B');
    expect(`${more}`).toBe('queue=A&since=1h&queue=B');
    expect(`${withFilter(more, 'queue', 'B')}`).toBe(`${more}`);
    expect(`${withFilter(more, 'since', '2h')}`).toBe('queue=A&since=2h&queue=B');
    expect(`${withoutFilter(more, 'queue', 'A')}`).toBe('since=1h&queue=B');
    expect(filterBody(filtersOf(query('queue=A&queue=B&since=1h&by=x&id=1')))).toEqual({
      queue: ['A', 'B'],
      since: '1h',
    });
  });
});
