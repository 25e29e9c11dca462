import { expect, test } from '@jest/globals';
import { Hub } from '../../../src/lib/console/hub.ts';

test('of each topic the newest is told, and only what is new to who comes back', () => {
  const hub = new Hub<Record<string, unknown>>();
  const heard: number[] = [];
  const unlisten = hub.listen(({ id }) => heard.push(id));
  hub.tell('queues', 1);
  hub.tell('run', 'a', 'run:a');
  hub.tell('run', 'b', 'run:b');
  hub.tell('queues', 1);
  hub.tell('queues', 2);
  unlisten();
  hub.tell('run', 'a2', 'run:a');
  expect(heard).toEqual([1, 2, 3, 4]);
  const texts = (after: number) => hub.since(after).map(({ event, data }) => `${event} ${data}`);
  expect(texts(0)).toEqual(['run "b"', 'queues 2', 'run "a2"']);
  expect(texts(4)).toEqual(['run "a2"']);
  expect(texts(5)).toEqual([]);
  // Told by a process that was there before this one.
  expect(texts(6)).toEqual(['run "b"', 'queues 2', 'run "a2"']);
  hub.forget('run:b');
  expect(texts(0)).toEqual(['queues 2', 'run "a2"']);
});
