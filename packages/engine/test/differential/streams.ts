import type { Duplex } from 'node:stream';
import ws from 'ws';
import engine from '../../src/index';
import { clientLibraries } from '../support/clients';
import { frame, TEXT } from '../support/frames';
import type { Library } from '../support/libraries';
import { dispose, pair } from '../support/libraries';
import type { Answer } from '../support/raw-server';
import { RawServer } from '../support/raw-server';
import type { Differences, Scenario, Scenarios } from './transcript';
import { closeFrame, show, showFrame, wire } from './transcript';

const KEY = 11;
const text = (payload: string): Buffer => frame({ opcode: TEXT, payload, key: KEY });

type Options = Parameters<typeof ws.createWebSocketStream>[1];

/** Makes the stream of a library; whether ours takes the same arguments is what the scenarios are there to find out. */
function streamOf({ name }: Pick<Library, 'name'>): typeof ws.createWebSocketStream {
  const create = name === 'ws' ? ws.createWebSocketStream : engine.createWebSocketStream;
  return create as typeof ws.createWebSocketStream;
}

type Last = 'end' | 'close';

/** Notes what a stream tells until its last event. */
class StreamTranscript {
  readonly entries: unknown[] = [];
  readonly over: Promise<void>;

  constructor(stream: Duplex, last: Last) {
    for (const event of ['data', 'end', 'finish', 'error']) {
      stream.on(event, (value: unknown) => {
        const shown = value instanceof Error ? value.message : show(value);
        this.entries.push(value === undefined ? [event] : [event, shown]);
      });
    }
    stream.on('close', () => this.entries.push(['close', stream.destroyed]));
    this.over = new Promise((resolve) => stream.on(last, () => resolve()));
  }
}

interface StreamScene {
  readonly stream: Duplex;
  readonly socket: ws;
  readonly client: Awaited<ReturnType<typeof pair>>['client'];
  readonly entries: unknown[];
}

/** The stream of a server's end, and what it tells up to its last event. */
function streamed(
  use: (scene: StreamScene) => unknown,
  options?: Options,
  last: Last = 'close',
): Scenario {
  return async (library) => {
    const connected = await pair(library);
    const { socket, client } = connected;
    const stream = streamOf(library)(socket, options);
    const { entries, over } = new StreamTranscript(stream, last);
    await use({ stream, socket, client, entries });
    await over;
    await dispose(connected);
    return entries;
  };
}

/** The stream of a client, from before it is connected. */
function connecting(answer: Answer, use: (stream: Duplex, client: ws) => unknown): Scenario {
  return async (library) => {
    const server = await RawServer.listen(answer);
    const { WebSocket } = clientLibraries[library.name === 'ws' ? 0 : 1];
    const client = new WebSocket(server.url, { perMessageDeflate: false });
    const stream = streamOf(library)(client);
    const { entries, over } = new StreamTranscript(stream, 'close');
    await use(stream, client);
    await over;
    await server.close();
    return entries;
  };
}

export const streams: Scenarios = {
  'messages, and the end of the peer': streamed(
    async ({ client }) => {
      client.write(text('a'), text(''), text('b'), closeFrame);
      await wire(client);
      client.end();
    },
    undefined,
    'end',
  ),
  'the end of a peer that says nothing': streamed(({ client }) => client.end(), undefined, 'end'),
  'end()': streamed(async ({ stream, client, entries }) => {
    stream.end('last', () => entries.push(['told']));
    entries.push(showFrame((await client.frame()) ?? fail()));
    entries.push(showFrame((await client.frame()) ?? fail()));
    client.write(closeFrame);
    await wire(client);
    client.end();
  }),
  'destroy()': streamed(({ stream }) => stream.destroy()),
  'destroy() with an error': streamed(({ stream }) => stream.destroy(new Error('Enough'))),
  'a bad frame': streamed(async ({ client, entries }) => {
    client.write(frame({ opcode: 3, key: KEY }));
    entries.push(await wire(client));
    client.end();
  }),
  'a write behind end()': streamed(async ({ stream, client }) => {
    stream.end();
    stream.write('late', (error) => void error);
    await wire(client);
    client.end();
  }),
  'a write to a WebSocket that is closing': streamed(async ({ stream, socket, client }) => {
    socket.close();
    stream.write('late');
    await wire(client);
    client.end();
  }),
  'writes of every kind': streamed(async ({ stream, client, entries }) => {
    stream.write('é');
    stream.write(Buffer.from('b'));
    stream.write(new Uint8Array([99]));
    for (let count = 0; count < 3; count++)
      entries.push(showFrame((await client.frame()) ?? fail()));
    stream.destroy();
  }),
  'text stays text with decodeStrings: false': streamed(
    async ({ stream, client, entries }) => {
      stream.write('é');
      stream.write(Buffer.from('b'));
      for (let count = 0; count < 2; count++) {
        entries.push(showFrame((await client.frame()) ?? fail()));
      }
      stream.destroy();
    },
    { decodeStrings: false },
  ),
  'with an encoding': streamed(
    async ({ client }) => {
      client.write(text('é'), closeFrame);
      await wire(client);
      client.end();
    },
    { encoding: 'utf8' },
    'end',
  ),
  'options that would contradict a WebSocket': streamed(
    async ({ stream, client, entries }) => {
      entries.push([stream.readableObjectMode, stream.writableObjectMode]);
      client.write(text('a'), frame({ opcode: 2, payload: 'b', key: KEY }), text(''), closeFrame);
      await wire(client);
      client.end();
    },
    {
      objectMode: true,
      readableObjectMode: true,
      writableObjectMode: true,
      autoDestroy: true,
      emitClose: true,
    },
    'end',
  ),
  'a handshake that fails': connecting(
    (request) => request.refuse('404 Not Found'),
    (stream) => {
      stream.write('never');
      stream.end();
    },
  ),
  'destroy() before there is a connection': connecting(
    () => undefined,
    (stream) => stream.destroy(),
  ),
};

function fail(): never {
  throw new Error('The connection ended before the frame');
}

export const streamDifferences: Differences = {
  'destroy() with an error before there is a connection tells that error': {
    run: connecting(
      () => undefined,
      (stream) => stream.destroy(new Error('Enough')),
    ),
    ws: [
      ['error', 'WebSocket was closed before the connection was established'],
      ['close', true],
    ],
    upwire: [
      ['error', 'Enough'],
      ['close', true],
    ],
  },
};
