import { once } from 'node:events';
import type { ClientEvent } from '../support/client-events';
import { clientFrames } from '../support/client-frames';
import { clientLibraries } from '../support/clients';
import type { FrameSpec } from '../support/frames';
import { BINARY, CLOSE, CONTINUATION, frame, PING, TEXT } from '../support/frames';
import { RawServer } from '../support/raw-server';

interface Case {
  readonly options: object;
  readonly frames: readonly FrameSpec[];
  readonly events: readonly ClientEvent[];
  /** First byte and payload of what the client sends. */
  readonly sent: readonly string[];
}

const close: FrameSpec = { opcode: CLOSE };
const closed: ClientEvent = ['close', 3, 1005];
const failed = (text: string): ClientEvent[] => [
  ['error', 2, text],
  ['close', 3, 1006],
];

const CASES: Record<string, Case> = {
  'autoPong: false': {
    options: { autoPong: false },
    frames: [{ opcode: PING, payload: 'p' }, close],
    events: [['ping', 1, 'p'], closed],
    sent: ['88 '],
  },
  'maxPayload: 10': {
    options: { maxPayload: 10 },
    frames: [
      { opcode: TEXT, payload: 'x'.repeat(10) },
      { opcode: TEXT, payload: 'x'.repeat(11) },
    ],
    events: [['message', 1, 'x'.repeat(10)], ...failed('Max payload size exceeded')],
    sent: ['88 03f1'],
  },
  'maxFragments: 1': {
    options: { maxFragments: 1 },
    frames: [{ opcode: BINARY, fin: false }, { opcode: CONTINUATION }],
    events: failed('Too many message fragments'),
    sent: ['88 03f0'],
  },
  'skipUTF8Validation: true': {
    options: { skipUTF8Validation: true },
    frames: [{ opcode: TEXT, payload: Buffer.from([0xff]) }, close],
    events: [['message', 1, '\ufffd'], closed],
    sent: ['88 '],
  },
  'none of them': {
    options: {},
    frames: [
      { opcode: PING, payload: 'p' },
      { opcode: TEXT, payload: Buffer.from([0xff]) },
    ],
    events: [['ping', 1, 'p'], ...failed('Invalid WebSocket frame: invalid UTF-8 sequence')],
    sent: ['8a 70', '88 03ef'],
  },
};

/** The options of every WebSocket are those of a client, too. */
describe.each(clientLibraries)('a client of $name', ({ WebSocket }) => {
  test.each(Object.entries(CASES))('%s', async (_name, { options, frames, events, sent }) => {
    const server = await RawServer.listen((request) => request.upgrade());
    const client = new WebSocket(server.url, { perMessageDeflate: false, ...options });
    const told: ClientEvent[] = [];
    client.on('message', (data: Buffer) => told.push(['message', client.readyState, String(data)]));
    client.on('ping', (data: Buffer) => told.push(['ping', client.readyState, String(data)]));
    client.on('error', (error) => told.push(['error', client.readyState, error.message]));
    client.on('close', (code: number) => told.push(['close', client.readyState, code]));
    await once(client, 'open');
    const [socket] = server.sockets;
    const over = new Promise((resolve) => client.on('close', resolve));
    socket.write(Buffer.concat(frames.map(frame)));
    const received: string[] = [];
    for await (const { first, payload } of clientFrames(socket)) {
      received.push(`${first.toString(16)} ${payload.toString('hex')}`);
      // RFC 6455 7.1.1: the server ends the connection.
      if (first === 0x88) break;
    }
    await over;
    expect([told, received]).toEqual([events, sent]);
    await server.close();
  });
});
