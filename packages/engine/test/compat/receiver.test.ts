import { once } from 'node:events';
import ws from 'ws';
import type { ReceiverOptions } from '../../src/compat/receiver';
import { Receiver } from '../../src/compat/receiver';
import { PerMessageDeflate } from '../../src/per-message-deflate';
import { hex, toHex } from '../support/bytes';
import { BINARY, CLOSE, CONTINUATION, frame, PING, PONG, TEXT } from '../support/frames';

const KEY = 0x37fa213d;
/** `@types/ws` does not know it. */
const WsReceiver: typeof Receiver = Reflect.get(ws, 'Receiver');

interface Told {
  readonly log: string[];
  readonly receiver: Receiver;
}

/** Writes down every event, `turn` for the turns of the event loop between them. */
function record(receiver: Receiver): Told {
  const log: string[] = [];
  const bytes = (data: unknown) =>
    Buffer.isBuffer(data) ? toHex(data) : Object(data).constructor.name;
  receiver.on('message', (data, isBinary) => log.push(`message ${bytes(data)} ${isBinary}`));
  receiver.on('ping', (data) => log.push(`ping ${bytes(data)}`));
  receiver.on('pong', (data) => log.push(`pong ${bytes(data)}`));
  receiver.on('conclude', (code, reason) => log.push(`conclude ${code} ${reason}`));
  receiver.on('error', (error) => log.push(`error ${error.name} ${error.message}`));
  receiver.on('finish', () => log.push('finish'));
  return { log, receiver };
}

/** As a socket's owner does, which reads no more after the close frame. */
function write(receiver: Receiver, chunks: readonly Buffer[]): void {
  for (const chunk of chunks) if (!receiver.writableEnded) receiver.write(Buffer.from(chunk));
}

function receive(options: ReceiverOptions, ...chunks: Buffer[]): Promise<string[]> {
  const { log, receiver } = record(new Receiver(options));
  const closed = new Promise<string[]>((resolve) => receiver.on('close', () => resolve(log)));
  write(receiver, chunks);
  return closed;
}

const conversation = Buffer.concat([
  frame({ opcode: TEXT, payload: 'Hello' }),
  frame({ opcode: PING, payload: 'a' }),
  frame({ opcode: BINARY, payload: hex('0102'), fin: false }),
  frame({ opcode: PONG, payload: 'b' }),
  frame({ opcode: CONTINUATION, payload: hex('03') }),
  frame({ opcode: TEXT, payload: '' }),
  frame({ opcode: CLOSE, payload: hex('03e8627965') }),
  frame({ opcode: TEXT, payload: 'too late' }),
]);

const told = [
  'message 48656c6c6f false',
  'ping 61',
  'pong 62',
  'message 010203 true',
  'message  false',
  'conclude 1000 bye',
  'finish',
];

describe('Receiver', () => {
  test.each([1, 2, 7, 1000])('the same events as in ws, in pieces of %i bytes', async (size) => {
    const chunks: Buffer[] = [];
    for (let at = 0; at < conversation.length; at += size) {
      chunks.push(conversation.subarray(at, at + size));
    }
    expect(await receive({}, ...chunks)).toEqual(told);

    const { log, receiver } = record(new WsReceiver());
    write(receiver, chunks);
    await once(receiver, 'finish');
    expect(log).toEqual(told);
  });

  test('reads what a client sends', async () => {
    const chunk = frame({ opcode: TEXT, payload: 'Hello', key: KEY });
    const close = frame({ opcode: CLOSE, payload: '', key: KEY });
    expect(await receive({ isServer: true }, chunk, close)).toEqual([
      'message 48656c6c6f false',
      'conclude 1005 ',
      'finish',
    ]);
  });

  test.each([
    ['nodebuffer', '0102'],
    ['arraybuffer', 'ArrayBuffer'],
    ['fragments', 'Array'],
    ['blob', 'Blob'],
  ] as const)('binaryType %s', async (binaryType, expected) => {
    const close = frame({ opcode: CLOSE, payload: '' });
    const [message] = await receive(
      { binaryType },
      frame({ opcode: BINARY, payload: hex('0102') }),
      close,
    );
    expect(message).toBe(`message ${expected} true`);
  });

  test.each<[ReceiverOptions, Buffer, string, number]>([
    [{ isServer: true }, frame({ opcode: TEXT, payload: 'x' }), 'MASK must be set', 1002],
    [
      { maxPayload: 4 },
      frame({ opcode: TEXT, payload: 'Hello' }),
      'Max payload size exceeded',
      1009,
    ],
    [{}, frame({ opcode: TEXT, payload: hex('ff') }), 'invalid UTF-8 sequence', 1007],
    [{}, frame({ opcode: 3, payload: '' }), 'invalid opcode 3', 1002],
  ])(
    'a fault is the error, with the code for the peer',
    async (options, chunk, text, closeCode) => {
      const receiver = new Receiver(options);
      const messages: unknown[] = [];
      receiver.on('message', (data) => messages.push(data));
      const failed = once(receiver, 'error');
      receiver.write(chunk);
      const [error] = await failed;
      expect(error).toMatchObject({ message: expect.stringContaining(text), closeCode });
      expect(messages).toEqual([]);
    },
  );

  test.each([1, 2, 5])('maxBufferedChunks %i: so many make up a frame, as in ws', async (most) => {
    const bytes = frame({ opcode: BINARY, payload: hex('0102030405060708') });
    for (const pieces of [most, most + 1]) {
      const outcomes = await Promise.all(
        [WsReceiver, Receiver].map(async (Class) => {
          const { log, receiver } = record(new Class({ maxBufferedChunks: most }));
          // All but the last bring one byte.
          for (let piece = 1; piece < pieces; piece++) {
            const from = piece === 1 ? 0 : 1 + piece;
            receiver.write(Buffer.from(bytes.subarray(from, 2 + piece)));
          }
          receiver.write(Buffer.from(bytes.subarray(pieces === 1 ? 0 : 1 + pieces)));
          await new Promise((resolve) => setImmediate(resolve));
          return log;
        }),
      );
      expect(outcomes[1]).toEqual(outcomes[0]);
      expect(outcomes[1]).toEqual([
        pieces > most
          ? 'error RangeError Too many buffered chunks'
          : 'message 0102030405060708 true',
      ]);
    }
  });

  test('skipUTF8Validation', async () => {
    const chunk = frame({ opcode: TEXT, payload: hex('ff') });
    const close = frame({ opcode: CLOSE, payload: '' });
    const log = await receive({ skipUTF8Validation: true }, chunk, close);
    expect(log[0]).toBe('message ff false');
  });

  test('at most one event in a turn without allowSynchronousEvents, the end last', async () => {
    const { log, receiver } = record(new Receiver({ allowSynchronousEvents: false }));
    const closed = once(receiver, 'close');
    receiver.write(Buffer.from(conversation));
    expect(log).toEqual([]);
    const perTurn: number[] = [];
    let over = false;
    closed.then(() => {
      over = true;
    });
    while (!over) {
      const before = log.length;
      await new Promise((resolve) => setImmediate(resolve));
      perTurn.push(log.slice(before).filter((line) => /^(message|ping|pong)/.test(line)).length);
    }
    expect(log).toEqual(told);
    expect(Math.max(...perTurn)).toBe(1);
  });

  test('inflates with an extension, and reports what it cannot inflate', async () => {
    const server = new PerMessageDeflate({ isServer: true });
    const parameters = server.accept([{}]);
    const compressed = await new Promise<Buffer>((resolve, reject) => {
      server.compress('Hello Hello Hello', true, (error, data) =>
        data === undefined ? reject(error) : resolve(data),
      );
    });
    expect(parameters).toEqual({});
    server.cleanup();

    const client = () => {
      const extension = new PerMessageDeflate({});
      extension.accept([{}]);
      return { 'permessage-deflate': extension };
    };
    const good = frame({ opcode: TEXT, rsv: 4, payload: compressed });
    const close = frame({ opcode: CLOSE, payload: '' });
    for (const chunks of [[good, close], [Buffer.concat([good, close])]]) {
      expect(await receive({ extensions: client() }, ...chunks)).toEqual([
        `message ${toHex(Buffer.from('Hello Hello Hello'))} false`,
        'conclude 1005 ',
        'finish',
      ]);
    }

    const receiver = new Receiver({ extensions: client() });
    const failed = once(receiver, 'error');
    receiver.write(frame({ opcode: TEXT, rsv: 4, payload: hex('ffffff') }));
    const [error] = await failed;
    expect(error).toMatchObject({ closeCode: 1007 });
  });

  test('options that are none', () => {
    const binaryType: unknown = 'text';
    expect(() => new Receiver({ binaryType: binaryType as 'blob' })).toThrow(
      new TypeError(
        'The "binaryType" option must be one of nodebuffer, arraybuffer, fragments, blob, got "text"',
      ),
    );
    expect(() => new Receiver({ maxPayload: -1 })).toThrow(RangeError);
  });
});
