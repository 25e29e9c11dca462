import { describe, expect, test } from '@jest/globals';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import { type NoRoom, ROOM_HINTS } from '../../../src/lib/facts/no-room.ts';
import { ApiError, type ApiFault, isApiError, isMissing, isNoRoom } from '../../../src/lib/nats/api-error.ts';

const SUBJECT = 'to.other.API.STREAM.INFO.Q';
const refused = (err_code?: number, description = 'words'): ApiError =>
  new ApiError(SUBJECT, { ...(err_code !== undefined && { err_code }), description });
const full = { account: refused(10002), server: refused(10047), stream: refused(10077, 'maximum messages exceeded') };

describe('a refusal', () => {
  const enable = ['enable JetStream for this account, or connect to one that has it'];
  const wait = ['wait until the cluster has a quorum, then run this again'];
  test.each<[code: string, hints: string[], errCode: number, description?: string]>([
    ['CONN_NO_JETSTREAM', enable, 10039],
    ['CONN_NO_JETSTREAM', enable, 10076],
    ['CONN_NO_LEADER', wait, 10004],
    ['CONN_NO_LEADER', wait, 10006],
    ['CONN_NO_LEADER', wait, 10008],
    ['CONN_NO_LEADER', wait, 10009],
    ['CONN_NO_LEADER', wait, 10118],
    ['CONN_NO_LEADER', wait, 10119],
    ['NOT_FOUND', ['apply the spec that makes it; or name the server and account that have it'], 10059],
    ['NOT_FOUND', ['apply the spec that makes it; or name the server and account that have it'], 10014],
    ['NOT_FOUND', ['it may have gone meanwhile: look again'], 10037],
    ['SERVER_REFUSED', ['raise `max_streams` of the account, or remove what nobody needs'], 10027],
    ['SERVER_REFUSED', ['raise `max_consumers` of the account, or remove what nobody needs'], 10026],
    ['SERVER_TOO_OLD', ['leave the field out, or use a server that knows it'], 10025, 'json: unknown field "x"'],
    ['SERVER_REFUSED', [], 10025],
    ['SERVER_REFUSED', [], 10052],
    ['SERVER_REFUSED', [], 10052, 'json: unknown field "x"'],
    ['SERVER_REFUSED', [], 10077],
  ])('is %s, with hints %j, for %i (%s)', (code, hints, errCode, description = 'words') => {
    expect(refused(errCode, description)).toMatchObject({
      name: 'ApiError',
      code,
      hints,
      errCode,
      subject: SUBJECT,
      description,
      noRoom: undefined,
      message: `the server refused STREAM.INFO.Q: ${description} (${errCode})`,
      where: SUBJECT,
      why: 'The server answered with an error.',
    });
  });

  test.each<[NoRoom, ApiError, string]>([
    ['account', full.account, 'The storage of the account is used up.'],
    [
      'server',
      full.server,
      'What the server has for JetStream, or what the account may use, is used up, or set aside by the max_bytes of streams.',
    ],
    ['stream', full.stream, 'The stream takes no more until something is removed from it.'],
    ['disk', refused(10077, 'no space left on device'), 'The disk of the server is full, or cannot be written.'],
  ])('for want of room says what is full: %s', (noRoom, error, why) => {
    expect(error).toMatchObject({ code: 'NO_ROOM', noRoom, why, hints: ROOM_HINTS[noRoom], where: SUBJECT });
    expect(error.message).toBe(`there is no room for STREAM.INFO.Q: ${error.description} (${error.errCode})`);
  });

  test.each<[unknown, number, string, string]>([
    [{}, 0, 'no description', 'the server refused STREAM.INFO.Q: no description'],
    [
      { err_code: 10052, description: 'no\u001b[2J\nmore' },
      10052,
      'no[2J more',
      'the server refused STREAM.INFO.Q: no[2J more (10052)',
    ],
    [{ err_code: '10059', description: 5 }, 0, 'no description', 'the server refused STREAM.INFO.Q: no description'],
    [{ err_code: 1.5, description: { toString: 5 } }, 0, 'no description', expect.any(String) as unknown as string],
  ])('of any shape is one: %j', (fault, errCode, description, message) => {
    expect(new ApiError('$JS.API.STREAM.INFO.Q', fault as ApiFault)).toMatchObject({ errCode, description, message });
  });

  test.each([
    ['$JS.API.STREAM.INFO.Q', 'STREAM.INFO.Q'],
    ['$JS.hub.API.STREAM.INFO.Q', 'STREAM.INFO.Q'],
    ['API.INFO', 'INFO'],
    ['requests.MYAPI.x', 'requests.MYAPI.x'],
    ['$JS.API.STREAM.INFO.API.x', 'STREAM.INFO.API.x'],
  ])('of %s names %s', (subject, short) => {
    expect(new ApiError(subject, {}).message).toBe(`the server refused ${short}: no description`);
  });
});

describe('a question about an error', () => {
  const other = new OpsError('NO_ROOM', 'ours');
  test.each<[boolean, unknown, number[]]>([
    [true, refused(10059), []],
    [true, refused(10059), [10014, 10059]],
    [false, refused(10058), [10014, 10059]],
    [false, other, []],
    [false, { errCode: 10059 }, [10059]],
  ])('whether it is a refusal of these codes is %s', (want, error, codes) => {
    expect(isApiError(error, ...codes)).toBe(want);
  });

  test.each<[boolean, unknown, NoRoom[]]>([
    [true, full.account, []],
    [true, full.account, ['stream', 'account']],
    [false, full.account, ['stream', 'server']],
    [false, refused(10058), []],
    [false, other, []],
    [false, { noRoom: 'account' }, []],
  ])('whether it is for want of room is %s', (want, error, kinds) => expect(isNoRoom(error, ...kinds)).toBe(want));

  test.each([
    [10059, true],
    [10014, true],
    [10149, true],
    [10037, false],
    [10058, false],
  ])('whether %i says that there is none: %s', (code, want) => expect(isMissing(refused(code))).toBe(want));
});
