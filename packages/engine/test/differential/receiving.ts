import type { WebSocket } from 'ws';
import type { FrameSpec } from '../support/frames';
import { BINARY, CLOSE, CONTINUATION, frame, PING, PONG, TEXT } from '../support/frames';
import type { Options } from '../support/libraries';
import type { Differences, Scenario, Scenarios } from './transcript';
import { scene, wire } from './transcript';

const KEY = 0x37fa213d;
const masked = (spec: FrameSpec): Buffer => frame({ key: KEY, ...spec });

/** What comes of frames that the client sends; `prepare` may add listeners of its own. */
export function received(
  frames: readonly FrameSpec[],
  options: Options = {},
  prepare: (socket: WebSocket, note: (...entry: unknown[]) => void) => void = () => undefined,
  headers?: Record<string, string>,
): Scenario {
  return scene(
    async ({ socket, client, events }) => {
      prepare(socket, (...entry) => events.note(...entry));
      client.write(...frames.map(masked));
      const answers = await wire(client);
      client.end();
      await events.closed;
      return { answers, events: events.entries };
    },
    options,
    headers,
  );
}

const close: FrameSpec = { opcode: CLOSE };
const code = (value: number, reason = ''): Buffer =>
  Buffer.concat([Buffer.from([value >> 8, value & 255]), Buffer.from(reason)]);

export const receivings: Scenarios = {
  'text and binary': received([
    { opcode: TEXT, payload: 'grüße' },
    { opcode: BINARY, payload: 'bytes' },
    { opcode: TEXT },
    { opcode: BINARY },
    close,
  ]),
  'fragments with control frames between them': received([
    { opcode: TEXT, payload: 'a', fin: false },
    { opcode: PING, payload: 'p' },
    { opcode: CONTINUATION, payload: 'b', fin: false },
    { opcode: PONG, payload: 'q' },
    { opcode: CONTINUATION, payload: 'c' },
    close,
  ]),
  'a character cut by a fragment': received([
    { opcode: TEXT, payload: Buffer.from([0xc3]), fin: false },
    { opcode: CONTINUATION, payload: Buffer.from([0xa9]) },
    close,
  ]),
  'messages of all three length forms': received([
    { opcode: TEXT, payload: 'x'.repeat(125) },
    { opcode: TEXT, payload: 'y'.repeat(126) },
    { opcode: TEXT, payload: 'z'.repeat(65_536) },
    close,
  ]),
  ...Object.fromEntries(
    ['nodebuffer', 'arraybuffer', 'fragments'].map((type) => [
      `binaryType ${type}`,
      received(
        [
          { opcode: TEXT, payload: 'text' },
          { opcode: BINARY, payload: 'bytes' },
          { opcode: BINARY, payload: '' },
          close,
        ],
        {},
        (socket) => {
          socket.binaryType = type as 'nodebuffer';
        },
      ),
    ]),
  ),
  'binaryType blob': received(
    [{ opcode: TEXT, payload: 'text' }, { opcode: BINARY, payload: 'bytes' }, close],
    {},
    (socket, note) => {
      socket.binaryType = 'blob' as 'nodebuffer';
      socket.on('message', (data: unknown) => {
        if (data instanceof Blob) note('blob', data.size, data.type);
      });
    },
  ),
  'binaryType changed between messages': received(
    [{ opcode: BINARY, payload: 'a' }, { opcode: BINARY, payload: 'b' }, close],
    {},
    (socket, note) => {
      socket.once('message', () => {
        socket.binaryType = 'arraybuffer';
        note(socket.binaryType);
        socket.binaryType = 'nonsense' as 'nodebuffer';
        note(socket.binaryType);
      });
    },
  ),

  'RSV1 set': received([{ opcode: TEXT, rsv: 4, payload: 'a' }]),
  'RSV2 set': received([{ opcode: TEXT, rsv: 2, payload: 'a' }]),
  'RSV3 set on a ping': received([{ opcode: PING, rsv: 1 }]),
  'RSV1 set on a continuation': received([
    { opcode: TEXT, payload: 'a', fin: false },
    { opcode: CONTINUATION, rsv: 4, payload: 'b' },
  ]),
  'opcode 3': received([{ opcode: 3 }]),
  'opcode 11': received([{ opcode: 11 }]),
  'a continuation of nothing': received([{ opcode: CONTINUATION, payload: 'a' }]),
  'text inside a fragmented message': received([
    { opcode: TEXT, payload: 'a', fin: false },
    { opcode: TEXT, payload: 'b' },
  ]),
  'a fragmented ping': received([{ opcode: PING, fin: false }]),
  'a ping of 126 bytes': received([{ opcode: PING, payload: 'x'.repeat(126) }]),
  'a close frame of one byte': received([{ opcode: CLOSE, payload: 'x' }]),
  'a frame without a mask': received([{ opcode: TEXT, payload: 'a', key: undefined }]),
  'bad UTF-8': received([{ opcode: TEXT, payload: Buffer.from([0x61, 0xff, 0x62]) }]),
  'text that ends in half a character': received([
    { opcode: TEXT, payload: Buffer.from([0xe2, 0x82]) },
  ]),
  'bad UTF-8 that is not looked at': received(
    [{ opcode: TEXT, payload: Buffer.from([0x61, 0xff]) }, close],
    { skipUTF8Validation: true },
  ),
  'bad UTF-8 in a close reason': received([
    { opcode: CLOSE, payload: Buffer.concat([code(1000), Buffer.from([0xff])]) },
  ]),
  'a length above 2^53': received([{ opcode: BINARY, form: 64, announce: 1n << 60n }]),
  'a control frame above maxPayload': received(
    [{ opcode: PING, payload: 'x'.repeat(100) }, close],
    { maxPayload: 10 },
  ),
  'no message is too long with maxPayload: 0': received(
    [{ opcode: BINARY, payload: 'x'.repeat(100_000) }, close],
    { maxPayload: 0 },
  ),
  'a frame above maxPayload': received([{ opcode: BINARY, announce: 11n, payload: '' }], {
    maxPayload: 10,
  }),
  'fragments above maxPayload': received(
    [
      { opcode: BINARY, payload: '123456', fin: false },
      { opcode: CONTINUATION, payload: '78901' },
    ],
    { maxPayload: 10 },
  ),
  'a message of just maxPayload': received(
    [
      { opcode: BINARY, payload: '123456', fin: false },
      { opcode: CONTINUATION, payload: '7890' },
      { opcode: BINARY, payload: '1234567890' },
      close,
    ],
    { maxPayload: 10 },
  ),
  'more than maxFragments': received(
    [
      { opcode: BINARY, payload: '1', fin: false },
      { opcode: CONTINUATION, payload: '2', fin: false },
      { opcode: CONTINUATION, payload: '3' },
    ],
    { maxFragments: 2 },
  ),
  'fragments that bring nothing count for maxFragments': received(
    [{ opcode: TEXT, fin: false }, { opcode: CONTINUATION, fin: false }, { opcode: CONTINUATION }],
    { maxFragments: 2 },
  ),
  'maxFragments counts anew with each message': received(
    [
      { opcode: TEXT, payload: 'a', fin: false },
      { opcode: CONTINUATION, payload: 'b' },
      { opcode: TEXT, payload: 'c', fin: false },
      { opcode: PING },
      { opcode: CONTINUATION, payload: 'd' },
      close,
    ],
    { maxFragments: 2 },
  ),
  'messages before the bad frame': received([
    { opcode: TEXT, payload: 'good' },
    { opcode: 3 },
    { opcode: TEXT, payload: 'never' },
  ]),
  ...Object.fromEntries(
    [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map((value) => [
      `the close code ${value}`,
      received([{ opcode: CLOSE, payload: code(value) }]),
    ]),
  ),
  ...Object.fromEntries(
    [1000, 1001, 1003, 1007, 1014, 3000, 4999].map((value) => [
      `the close code ${value} with a reason`,
      received([{ opcode: CLOSE, payload: code(value, 'grüße') }]),
    ]),
  ),
  'frames behind a close frame': received([
    { opcode: CLOSE, payload: code(1000) },
    { opcode: TEXT, payload: 'never' },
    { opcode: 3 },
  ]),
};

export const receivingDifferences: Differences = {
  'a length that is not encoded minimally (RFC 6455 5.2)': {
    run: received([{ opcode: TEXT, payload: 'a', form: 16 }, close]),
    ws: {
      answers: ['88 '],
      events: [
        ['message', 1, 'Buffer 61', false],
        ['close', 3, 1005, 'Buffer '],
      ],
    },
    upwire: {
      answers: ['88 03ea'],
      events: [
        [
          'error',
          2,
          'RangeError: Invalid WebSocket frame: the payload length is not minimally encoded [WS_ERR_NON_MINIMAL_PAYLOAD_LENGTH]',
        ],
        ['close', 3, 1006, 'Buffer '],
      ],
    },
  },
  'the first bit of a 64-bit length (RFC 6455 5.2)': {
    run: received([{ opcode: BINARY, form: 64, announce: 1n << 63n }]),
    ws: {
      answers: ['88 03f1'],
      events: [
        [
          'error',
          2,
          'RangeError: Unsupported WebSocket frame: payload length > 2^53 - 1 [WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH]',
        ],
        ['close', 3, 1006, 'Buffer '],
      ],
    },
    upwire: {
      answers: ['88 03ea'],
      events: [
        [
          'error',
          2,
          'RangeError: Invalid WebSocket frame: the most significant bit of the payload length must be 0 [WS_ERR_INVALID_DATA_PAYLOAD_LENGTH]',
        ],
        ['close', 3, 1006, 'Buffer '],
      ],
    },
  },
  'text fails at its first bad byte (RFC 6455 8.1)': {
    run: received([
      { opcode: TEXT, payload: Buffer.from([0x61, 0xff]), fin: false },
      { opcode: PING, payload: 'p' },
      { opcode: CONTINUATION, payload: 'b' },
    ]),
    ws: {
      answers: ['8a 70', '88 03ef'],
      events: [
        ['ping', 1, 'Buffer 70'],
        [
          'error',
          2,
          'Error: Invalid WebSocket frame: invalid UTF-8 sequence [WS_ERR_INVALID_UTF8]',
        ],
        ['close', 3, 1006, 'Buffer '],
      ],
    },
    upwire: {
      answers: ['88 03ef'],
      events: [
        [
          'error',
          2,
          'Error: Invalid WebSocket frame: invalid UTF-8 sequence [WS_ERR_INVALID_UTF8]',
        ],
        ['close', 3, 1006, 'Buffer '],
      ],
    },
  },
  'pings of a peer that reads its pongs are never too many': {
    run: scene(async ({ client, events }) => {
      client.write(...new Array<Buffer>(61).fill(masked({ opcode: PING })));
      client.end();
      await events.closed;
      const pings = events.entries.filter((entry) => Array.isArray(entry) && entry[0] === 'ping');
      return pings.map((entry) => Array.isArray(entry) && entry[1]);
    }),
    // The 61st is cut, though its peer has been sent all 60 pongs.
    ws: [...new Array(60).fill(1), 2],
    upwire: new Array(61).fill(1),
  },
  'pause() holds what was read with the message': {
    run: scene(async ({ socket, client, events }) => {
      socket.on('message', () => {
        socket.pause();
        events.note('paused');
      });
      const first = new Promise((resolve) => socket.once('message', resolve));
      client.write(masked({ opcode: TEXT, payload: 'a' }), masked({ opcode: TEXT, payload: 'b' }));
      await first;
      await new Promise((resolve) => setImmediate(resolve));
      return events.entries;
    }),
    ws: [
      ['message', 1, 'Buffer 61', false],
      ['paused'],
      ['message', 1, 'Buffer 62', false],
      ['paused'],
    ],
    upwire: [['message', 1, 'Buffer 61', false], ['paused']],
  },
  'binaryType fragments: a message is kept in one piece': {
    run: received(
      [{ opcode: BINARY, payload: 'a', fin: false }, { opcode: CONTINUATION, payload: 'b' }, close],
      {},
      (socket) => {
        socket.binaryType = 'fragments';
      },
    ),
    ws: {
      answers: ['88 '],
      events: [
        ['message', 1, ['Buffer 61', 'Buffer 62'], true],
        ['close', 3, 1005, 'Buffer '],
      ],
    },
    upwire: {
      answers: ['88 '],
      events: [
        ['message', 1, ['Buffer 6162'], true],
        ['close', 3, 1005, 'Buffer '],
      ],
    },
  },
};
