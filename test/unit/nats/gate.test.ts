import { describe, expect, test } from '@jest/globals';
import type { NatsConnection } from '@nats-io/transport-node';
import { doorOf, type Gate, isRemoval, isWrite } from '../../../src/lib/nats/gate.ts';

describe('a write is everything that may change something', () => {
  test.each([
    ['$JS.API.INFO', false],
    ['$JS.API.STREAM.INFO.REQUESTS', false],
    ['$JS.API.STREAM.NAMES', false],
    ['$JS.API.STREAM.LIST', false],
    ['$JS.API.STREAM.MSG.GET.REQUESTS', false],
    ['$JS.API.DIRECT.GET.REQUESTS', false],
    ['$JS.API.DIRECT.GET.KV_b.$KV.b.key', false],
    ['$JS.API.CONSUMER.INFO.REQUESTS.w', false],
    ['$JS.API.CONSUMER.NAMES.REQUESTS', false],
    ['$JS.API.CONSUMER.LIST.REQUESTS', false],
    ['$JS.API.STREAM.MSG.DELETE.REQUESTS', true],
    ['$JS.API.STREAM.PURGE.REQUESTS', true],
    ['$JS.API.STREAM.CREATE.INFO', true],
    ['$JS.API.STREAM.UPDATE.REQUESTS', true],
    ['$JS.API.STREAM.DELETE.NAMES', true],
    ['$JS.API.STREAM.INFORMAL.REQUESTS', true],
    ['$JS.API.CONSUMER.CREATE.REQUESTS.w', true],
    ['$JS.API.CONSUMER.DELETE.REQUESTS.w', true],
    ['$JS.API.CONSUMER.MSG.NEXT.REQUESTS.w', true],
    ['$JS.API.$KV.osapi_ops.lock.x', true],
    ['$JS.APIX.STREAM.INFO.REQUESTS', true],
    ['$KV.osapi_ops.lock.x', true],
    ['requests.dns', true],
    ['STREAM.INFO.REQUESTS', true],
  ])('%s: %p', (subject, want) => {
    expect(isWrite('$JS.API', subject)).toBe(want);
  });
});

describe('a removal is what takes away, or sets back, by a name or a number', () => {
  test.each([
    ['STREAM.DELETE.S', true],
    ['STREAM.PURGE.S', true],
    ['STREAM.MSG.DELETE.S', true],
    ['CONSUMER.DELETE.S.c', true],
    ['CONSUMER.RESET.S.c', true],
    ['STREAM.CREATE.DELETE', false],
    ['STREAM.UPDATE.S', false],
    ['STREAM.INFO.S', false],
    ['STREAM.MSG.GET.S', false],
    ['CONSUMER.CREATE.S.c', false],
    ['CONSUMER.PAUSE.S.c', false],
  ])('%s: %p', (name, want) => {
    expect(isRemoval(name)).toBe(want);
  });
});

/** The client's buffer and its socket, as far as the door knows them. */
function fakeClient() {
  const sent: string[] = [];
  const acts: string[] = [];
  let buffered = '';
  let done: (() => void) | undefined;
  const socket = {
    writableLength: 0,
    write(bytes: Uint8Array, wrote: () => void) {
      sent.push(Buffer.from(bytes).toString());
      done = wrote;
    },
    resetAndDestroy: () => acts.push('reset'),
    destroy: () => acts.push('destroy'),
  };
  const protocol = {
    infoReceived: true,
    connected: true,
    transport: { socket },
    outbound: {
      size: () => buffered.length,
      drain() {
        const bytes = Buffer.from(buffered);
        buffered = '';
        return bytes;
      },
      reset() {
        buffered = '';
      },
    },
    flushPending() {
      sent.push(`plain ${buffered}`);
      buffered = '';
    },
  };
  const door = doorOf({ protocol } as unknown as NatsConnection);
  return {
    sent,
    acts,
    socket,
    protocol,
    door,
    write(text: string, gate?: Gate) {
      if (gate) door.mind(gate);
      buffered += text;
    },
    wrote: () => done?.(),
    newSocket() {
      protocol.transport = { socket: { ...socket } };
    },
  };
}

function gateOf(left: number) {
  const gate = {
    left,
    assertHeld() {
      if (gate.left <= 0) throw new TypeError('over');
    },
  };
  return gate;
}

describe('the door', () => {
  test('leaves what stands behind no gate to the client', () => {
    const { write, protocol, sent } = fakeClient();
    write('PING');
    protocol.flushPending();
    expect(sent).toEqual(['plain PING']);
  });

  test('lets a write go while its gate holds, and the next frame is the client’s again', () => {
    const { write, protocol, sent } = fakeClient();
    write('PUB a', gateOf(1));
    protocol.flushPending();
    write('PING');
    protocol.flushPending();
    expect(sent).toEqual(['PUB a', 'plain PING']);
  });

  test('resets the connection where the gate fell between the write and the flush: nothing of it goes', () => {
    const { write, protocol, sent, acts } = fakeClient();
    const one = gateOf(1);
    write('PUB a', one);
    one.left = 0;
    protocol.flushPending();
    protocol.flushPending();
    expect(sent).toEqual(['plain ']);
    expect(acts).toEqual(['reset', 'destroy', 'destroy']);
  });

  test('gives a congested socket one frame at a time, and asks the gate for each when its turn comes', () => {
    const { write, protocol, sent, acts, socket, wrote } = fakeClient();
    const one = gateOf(1);
    write('PUB a', one);
    protocol.flushPending();
    socket.writableLength = 5;
    write('PUB b', one);
    protocol.flushPending();
    write('PING');
    protocol.flushPending();
    expect(sent).toEqual(['PUB a']);
    socket.writableLength = 0;
    wrote();
    expect(sent).toEqual(['PUB a', 'PUB b', 'PING']);
    socket.writableLength = 5;
    write('PUB c', one);
    protocol.flushPending();
    one.left = 0;
    socket.writableLength = 0;
    wrote();
    expect(sent).toEqual(['PUB a', 'PUB b', 'PING']);
    expect(acts).toContain('reset');
  });

  test('forgets on a new connection what waited for the old one', () => {
    const { write, protocol, sent, socket, newSocket } = fakeClient();
    const one = gateOf(1);
    write('PUB a', one);
    protocol.flushPending();
    socket.writableLength = 5;
    write('PUB b', one);
    protocol.flushPending();
    newSocket();
    protocol.transport.socket.writableLength = 0;
    write('PUB c', one);
    protocol.flushPending();
    expect(sent).toEqual(['PUB a', 'PUB c']);
  });

  test('holds everything while there is no connection', () => {
    const { write, protocol, sent } = fakeClient();
    protocol.connected = false;
    write('PUB a', gateOf(1));
    protocol.flushPending();
    expect(sent).toEqual([]);
    protocol.connected = true;
    protocol.flushPending();
    expect(sent).toEqual(['PUB a']);
  });
});
