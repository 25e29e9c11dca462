import { expect, test } from '@jest/globals';
import { filterWords } from '../../../src/lib/dlq/filter-words.ts';
import { parseIds } from '../../../src/lib/dlq/id.ts';
import { parseWhere } from '../../../src/lib/dlq/where.ts';
import type { EntryFilter } from '../../../src/lib/model/entry-filter.ts';

test.each<[string, EntryFilter, string[]]>([
  ['nothing', {}, []],
  ['a limit, which says nothing later', { limit: 5 }, []],
  ['ids as they were written', { ids: parseIds(['worker/7', '8']) }, ['worker/7', '8']],
  ['queues', { queues: ['A', 'B'] }, ['--queue', 'A', '--queue', 'B']],
  ['consumers', { consumers: ['w'] }, ['--consumer', 'w']],
  ['a value that looks like a flag', { consumers: ['-w', 'v-'] }, ['--consumer=-w', '--consumer', 'v-']],
  [
    'a subject with what cannot be typed',
    { subjects: ['a\u001bb', 'c.*'] },
    ['--subject', 'a\\x1bb', '--subject', 'c.*'],
  ],
  ['since', { since: 0 }, ['--since', '1970-01-01T00:00:00.000Z']],
  ['until', { until: 1500 }, ['--until', '1970-01-01T00:00:01.500Z']],
  ['reasons', { reasons: ['rejected'] }, ['--reason', 'rejected']],
  ['states', { states: ['orphan', 'gone'] }, ['--state', 'orphan', '--state', 'gone']],
  ['a text', { match: 'a b' }, ['--match', 'a b']],
  ['no text, which is one', { match: '' }, ['--match', '']],
  ['request ids', { requestIds: ['r1', '-r2'] }, ['--request-id', 'r1', '--request-id=-r2']],
  ['conditions', { where: parseWhere(['detail=a*']) }, ['--where', 'detail=a*']],
])('a filter by %s is typed so', (_, filter, words) => expect(filterWords(filter)).toEqual(words));
