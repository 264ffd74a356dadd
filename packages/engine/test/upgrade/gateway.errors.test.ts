import type { IncomingMessage } from 'node:http';
import { resolve } from 'node:path';
import type { WebSocket } from '../../src/websocket';
import { CLOSE, PING, TEXT } from '../support/frames';
import { startProgram } from '../support/programs';
import type { RawClient } from '../support/raw-client';
import {
  accepting,
  answerOf,
  cleanUp,
  deferred,
  enter,
  knock,
  masked,
  openSite,
} from '../support/site';

afterEach(cleanUp);

const BOOM = new Error('boom');

function boom(): never {
  throw BOOM;
}

async function later(): Promise<never> {
  await new Promise(setImmediate);
  throw BOOM;
}

/** A part of the application that fails, and what the client sends to make it. */
interface Fault {
  readonly handle?: (webSocket: WebSocket) => unknown;
  readonly connection?: (webSocket: WebSocket) => unknown;
  readonly send?: Buffer;
}

const text = masked({ opcode: TEXT, payload: 'hi' });

const FAULTS: Record<string, Fault> = {
  'the handler throws': { handle: boom },
  'the handler rejects': { handle: later },
  'a message listener throws': { handle: (it) => it.on('message', boom), send: text },
  'a message listener rejects': { handle: (it) => it.on('message', later), send: text },
  'a listener of addEventListener throws': {
    handle: (it) => it.addEventListener('message', boom),
    send: text,
  },
  'a listener of addEventListener rejects': {
    handle: (it) => it.addEventListener('message', () => later()),
    send: text,
  },
  'onmessage throws': {
    handle: (it) => {
      it.onmessage = boom;
    },
    send: text,
  },
  'a ping listener throws': {
    handle: (it) => it.on('ping', boom),
    send: masked({ opcode: PING }),
  },
  'a late listener throws': {
    handle: (it) => void setTimeout(() => it.on('message', boom), 20),
    send: text,
  },
  'a listener throws on the first of many messages': {
    handle: (it) => it.on('message', boom),
    send: Buffer.concat([text, text, text]),
  },
  'a connection listener throws': { connection: boom },
  'a connection listener rejects': { connection: later },
};

interface Report {
  readonly error: unknown;
  readonly webSocket?: WebSocket;
  readonly url?: string | undefined;
}

/** A site with a faulty route and one that echoes. */
async function faultySite({ handle, connection }: Fault, withOption: boolean) {
  const reports: Report[] = [];
  const { port, gateway } = await openSite(
    accepting(
      (webSocket, req) => {
        if (req.url === '/echo') webSocket.on('message', (data: string) => webSocket.send(data));
        else return handle?.(webSocket);
        return undefined;
      },
      (error, webSocket) => void reports.push({ error, webSocket }),
    ),
    withOption
      ? {
          onError: (error, webSocket, req) => void reports.push({ error, webSocket, url: req.url }),
        }
      : {},
  );
  gateway.server.on('connection', (webSocket: WebSocket, req: IncomingMessage) =>
    req.url === '/echo' ? undefined : connection?.(webSocket),
  );
  return { port, gateway, reports };
}

/** The bytes of all frames until the end of the connection; what is no frame fails the test. */
async function framesOf(client: RawClient): Promise<string[]> {
  const frames: string[] = [];
  for (;;) {
    const frame = await client.frame();
    if (frame === undefined) return frames;
    frames.push(`${frame.first.toString(16)} ${frame.payload.toString('hex')}`);
    if (frame.first === 0x88) {
      client.write(masked({ opcode: CLOSE, payload: frame.payload }));
    }
  }
}

async function echoes(client: RawClient): Promise<boolean> {
  client.write(masked({ opcode: TEXT, payload: 'still there' }));
  return (await client.frame())?.payload.toString() === 'still there';
}

describe.each(Object.entries(FAULTS))('where %s', (name, fault) => {
  test.each([
    ['the framework', false],
    ['onError', true],
  ])('the client gets 1011, %s is told once, and nobody else notices', async (_who, option) => {
    const { port, gateway, reports } = await faultySite(fault, option);
    const other = await enter(port, 'GET /echo HTTP/1.1');
    const client = await enter(port, 'GET /faulty HTTP/1.1');
    const [, webSocket] = gateway.server.clients ?? [];
    if (fault.send !== undefined) client.write(fault.send);

    const frames = await framesOf(client);

    expect(frames.filter((it) => !it.startsWith('8a'))).toEqual(['88 03f3']);
    expect(frames.filter((it) => it.startsWith('8a'))).toHaveLength(name.includes('ping') ? 1 : 0);
    expect(reports).toEqual([
      option ? { error: BOOM, webSocket, url: '/faulty' } : { error: BOOM, webSocket },
    ]);
    expect(await echoes(other)).toBe(true);
    expect(gateway.server.clients?.size).toBe(1);
  });
});

test('a connection listener that throws keeps the handler from running', async () => {
  const handler = jest.fn();
  const { port, gateway, reports } = await faultySite({ connection: boom, handle: handler }, false);
  const second = jest.fn();
  gateway.server.on('connection', second);

  await framesOf(await enter(port, 'GET /faulty HTTP/1.1'));

  expect(handler).not.toHaveBeenCalled();
  expect(reports).toHaveLength(1);
});

test('a close listener that throws is told of, too', async () => {
  const { port, reports } = await faultySite({ handle: (it) => it.on('close', boom) }, false);
  const client = await enter(port, 'GET /faulty HTTP/1.1');
  const told = waitFor(reports);
  client.write(masked({ opcode: CLOSE, payload: Buffer.from([0x03, 0xe8]) }));
  expect(await framesOf(client)).toEqual(['88 03e8']);
  await told;
  expect(reports).toMatchObject([{ error: BOOM }]);
});

test.each<[string, Fault]>([
  ['throws', { handle: boom }],
  ['rejects', { handle: later }],
])('where the handler %s, nobody waits for a listener of what has come', async (_how, fault) => {
  const { port, gateway } = await faultySite(fault, true);
  const client = await enter(port, 'GET /faulty HTTP/1.1');
  const [webSocket] = gateway.server.clients ?? [];
  const closed = new Promise((resolve) => webSocket.once('close', resolve));
  client.write(text, text);

  expect(await framesOf(client)).toEqual(['88 03f3']);
  // Much less than the 10 s that messages wait.
  const timeout = new Promise((resolve) => setTimeout(resolve, 2_000, 'waiting').unref());
  expect(await Promise.race([closed, timeout])).toBe(1011);
  expect(gateway.server.clients?.size).toBe(0);
});

test('errors that are no Error arrive as they are', async () => {
  const { port, reports } = await faultySite(
    {
      handle: () => Promise.reject('a string'),
    },
    true,
  );
  await framesOf(await enter(port, 'GET /faulty HTTP/1.1'));
  expect(reports).toMatchObject([{ error: 'a string' }]);
});

describe.each<[string, () => unknown]>([
  ['throws', boom],
  ['rejects', later],
])('an onError that %s itself', (_how, fail) => {
  test('is told to the process as a warning; the client gets its 1011', async () => {
    const warned = deferred<Error>();
    const emitWarning = jest
      .spyOn(process, 'emitWarning')
      .mockImplementation((warning) => warned.resolve(warning as Error));
    try {
      const { port } = await openSite(
        accepting((webSocket) => webSocket.on('message', () => Promise.reject(new Error('first')))),
        { onError: fail },
      );
      const client = await enter(port);
      client.write(text);

      expect(await framesOf(client)).toEqual(['88 03f3']);
      expect(await warned.promise).toBe(BOOM);
    } finally {
      emitWarning.mockRestore();
    }
  });
});

describe('a peer that breaks the protocol', () => {
  test.each<[string, Buffer, number]>([
    ['an unmasked frame', Buffer.from([0x81, 0x01, 0x61]), 1002],
    ['a reserved bit', masked({ opcode: TEXT, rsv: 2, payload: 'a' }), 1002],
    ['bad UTF-8', masked({ opcode: TEXT, payload: Buffer.from([0xff]) }), 1007],
    ['close code 1006', masked({ opcode: CLOSE, payload: Buffer.from([0x03, 0xee]) }), 1002],
    [
      'an announcement of 2^53 bytes',
      masked({ opcode: TEXT, form: 64, announce: 2n ** 53n }),
      1009,
    ],
  ])('hurts nobody else where no error listener is there: %s', async (_what, bytes, code) => {
    const { port, reports } = await faultySite({}, true);
    const other = await enter(port, 'GET /echo HTTP/1.1');
    const client = await enter(port, 'GET /faulty HTTP/1.1');
    client.write(bytes);

    const expected = code.toString(16).padStart(4, '0');
    expect(await framesOf(client)).toEqual([`88 ${expected}`]);
    expect(await echoes(other)).toBe(true);
    expect(reports).toEqual([]);
  });
});

test('nothing of this ends a process', async () => {
  const program = startProgram(resolve(__dirname, '../programs/faults.ts'));
  const port = Number(await program.line());
  const other = await enter(port, 'GET /echo HTTP/1.1');
  for (const path of ['/throws', '/rejects', '/listener', '/async-listener', '/peer']) {
    const client = await enter(port, `GET ${path} HTTP/1.1`);
    client.write(path === '/peer' ? Buffer.from([0x81, 0x01, 0x61]) : text);
    expect(await framesOf(client)).toEqual([path === '/peer' ? '88 03ea' : '88 03f3']);
  }
  expect((await answerOf(await knock(port, {}, 'GET /framework HTTP/1.1'))).status).toBe(500);
  expect(await echoes(other)).toBe(true);

  program.send('close');
  const { code, signal, errors } = await program.ended;
  expect([code, signal]).toEqual([0, null]);
  expect(errors.match(/^\S*Error: .*$/gm)).toEqual([
    'Error: throws',
    'Error: rejects',
    'Error: listener',
    'Error: async listener',
  ]);
  expect(errors).toContain('the framework');
});

async function waitFor(list: readonly unknown[]): Promise<void> {
  while (list.length === 0) await new Promise(setImmediate);
}
