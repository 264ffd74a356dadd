import { constants, deflateRawSync } from 'node:zlib';
import type { FrameSpec } from '../support/frames';
import { BINARY, CLOSE, CONTINUATION, PING, TEXT } from '../support/frames';
import { received } from './receiving';
import { sent } from './sending';
import type { Differences, Scenario, Scenarios } from './transcript';
import { scene, show } from './transcript';

const ON = { perMessageDeflate: true };
const OFFER = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
/** Has the server compress each message by itself. */
const ALONE = { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_no_context_takeover' };
const RSV1 = 4;

/** A message as a peer compresses it (RFC 7692 7.2.1). */
const deflate = (payload: string | Buffer): Buffer =>
  deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

const close: FrameSpec = { opcode: CLOSE };
const marked = (payload: Uint8Array | string, rest: Partial<FrameSpec> = {}): FrameSpec => ({
  opcode: TEXT,
  rsv: RSV1,
  payload,
  ...rest,
});

const compressed = (frames: FrameSpec[], options: object = ON): Scenario =>
  received(frames, options, undefined, OFFER);

export const compressions: Scenarios = {
  'messages, compressed and not': compressed([
    marked(deflate('text')),
    { opcode: TEXT, payload: 'plain' },
    marked(deflate('bytes'), { opcode: BINARY }),
    close,
  ]),
  'a message that refers to the one before it': compressed([
    marked(Buffer.from('f248cdc9c90700', 'hex')),
    marked(Buffer.from('f200110000', 'hex')),
    close,
  ]),
  'an empty message': compressed([marked(Buffer.from([0])), close]),
  'fragments with a ping between them': compressed([
    marked(deflate('Hello').subarray(0, 3), { fin: false }),
    { opcode: PING, payload: 'p' },
    { opcode: CONTINUATION, payload: deflate('Hello').subarray(3) },
    close,
  ]),
  'a block of no type': compressed([marked(Buffer.from([0xff, 0xff, 0xff]))]),
  'a stored block of wrong lengths': compressed([marked(Buffer.from([1, 2, 3, 4]))]),
  'a distance too far back': compressed([marked(Buffer.from('4a86c040000000', 'hex'))]),
  'text that is no UTF-8': compressed([marked(deflate(Buffer.from([0xff])))]),
  'a message above maxPayload': compressed([marked(deflate('x'.repeat(101)))], {
    ...ON,
    maxPayload: 100,
  }),
  'a message of just maxPayload': compressed([marked(deflate('x'.repeat(100))), close], {
    ...ON,
    maxPayload: 100,
  }),

  'what is sent with context takeover': sent(
    (socket) => {
      for (const data of ['hello', 'hello', Buffer.from('hello'), '']) socket.send(data);
      socket.send('plain', { compress: false });
      socket.ping('p');
    },
    ON,
    OFFER,
  ),
  'what is sent without, below and above the threshold': sent(
    (socket) => {
      for (const size of [0, 5, 1023, 1024]) socket.send('y'.repeat(size));
    },
    ON,
    ALONE,
  ),
  'a threshold of 0': sent(
    (socket) => {
      socket.send('h');
      socket.send('');
    },
    { perMessageDeflate: { threshold: 0 } },
    ALONE,
  ),
  'the first fragment decides': sent(
    (socket) => {
      socket.send('hel', { fin: false });
      socket.send('lo', { fin: false, compress: false });
      socket.send('', { fin: true });
      socket.send('z', { compress: false, fin: false });
      socket.send('z', { compress: true });
    },
    ON,
    OFFER,
  ),
  'options of zlib': sent(
    (socket) => socket.send('h'.repeat(100)),
    { perMessageDeflate: { zlibDeflateOptions: { level: 0 } } },
    OFFER,
  ),
  'a small window': sent(
    (socket) => socket.send('abcabcabcabc'.repeat(100)),
    { perMessageDeflate: { serverMaxWindowBits: 9 } },
    OFFER,
  ),
  'callbacks keep their order': sent(
    (socket, note) => {
      socket.send('a'.repeat(2_000), (error) => note(1, error));
      socket.ping('p', undefined, (error) => note(2, error));
      socket.send('b', (error) => note(3, error));
    },
    ON,
    OFFER,
  ),
  'a close behind a message that is being compressed': sent(
    (socket, note) => {
      // So long that it is not done at once.
      socket.send('a'.repeat(200_000), (error) => note('sent', error));
    },
    ON,
    OFFER,
  ),
};

const Z_BUF_ERROR = {
  answers: ['88 03ef'],
  events: [
    ['error', 2, 'Error: unexpected end of file [Z_BUF_ERROR]'],
    ['close', 3, 1006, 'Buffer '],
  ],
};

export const compressionDifferences: Differences = {
  'a message that is cut short is bad data': {
    run: compressed([marked(deflate('Hello, Hello').subarray(0, 5)), close]),
    ws: {
      answers: ['88 '],
      events: [
        // The end of the block that is not there is read as if it were text.
        ['message', 1, 'Buffer 48656c6c68', false],
        ['close', 3, 1005, 'Buffer '],
      ],
    },
    upwire: Z_BUF_ERROR,
  },
  'a compressed message of no bytes is bad data (RFC 7692 7.2.3.6)': {
    run: compressed([marked(''), close]),
    ws: {
      answers: ['88 '],
      events: [
        ['message', 1, 'Buffer ', false],
        ['close', 3, 1005, 'Buffer '],
      ],
    },
    upwire: Z_BUF_ERROR,
  },
  'the window outlasts a final block (RFC 7692 7.2.3.4)': {
    run: compressed([
      marked(Buffer.from('f348cdc9c9070000', 'hex')),
      marked(Buffer.from('f200110000', 'hex')),
      close,
    ]),
    ws: {
      answers: ['88 03ef'],
      events: [
        ['message', 1, 'Buffer 48656c6c6f', false],
        ['error', 2, 'Error: invalid distance too far back [Z_DATA_ERROR]'],
        ['close', 3, 1006, 'Buffer '],
      ],
    },
    upwire: {
      answers: ['88 '],
      events: [
        ['message', 1, 'Buffer 48656c6c6f', false],
        ['message', 1, 'Buffer 48656c6c6f', false],
        ['close', 3, 1005, 'Buffer '],
      ],
    },
  },
  'fragments are inflated together, when the last has come': {
    run: compressed(
      [
        marked(deflate('x'.repeat(101)), { fin: false }),
        { opcode: PING, payload: 'p' },
        { opcode: CONTINUATION, payload: Buffer.from([0]) },
      ],
      { ...ON, maxPayload: 100 },
    ),
    ws: {
      answers: ['88 03f1'],
      events: [
        ['error', 2, 'RangeError: Max payload size exceeded [WS_ERR_UNSUPPORTED_MESSAGE_LENGTH]'],
        ['close', 3, 1006, 'Buffer '],
      ],
    },
    upwire: {
      answers: ['8a 70', '88 03f1'],
      events: [
        ['ping', 1, 'Buffer 70'],
        ['error', 2, 'RangeError: Max payload size exceeded [WS_ERR_UNSUPPORTED_MESSAGE_LENGTH]'],
        ['close', 3, 1006, 'Buffer '],
      ],
    },
  },
  'the errors of what was not sent have a code': {
    run: scene(
      async ({ socket }) => {
        const told: Record<string, unknown> = {};
        const all = ['compressing', 'waiting'].map(
          (name) =>
            new Promise<void>((resolve) => {
              socket.send('a'.repeat(200_000), (error) => {
                told[name] = show(error);
                resolve();
              });
            }),
        );
        socket.terminate();
        await Promise.all(all);
        return told;
      },
      ON,
      OFFER,
    ),
    ws: {
      compressing: 'Error: The socket was closed while data was being compressed',
      waiting: 'Error: The socket was closed while data was being compressed',
    },
    upwire: {
      compressing:
        'Error: The socket was closed while data was being compressed [WS_ERR_SOCKET_CLOSED]',
      waiting: 'Error: The socket was closed before the data was written [WS_ERR_SOCKET_CLOSED]',
    },
  },
};
