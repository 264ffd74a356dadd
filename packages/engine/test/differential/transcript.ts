import { isNativeError } from 'node:util/types';
import type { WebSocket } from 'ws';
import { CLOSE, frame as makeFrame } from '../support/frames';
import type { Library, Options, Pair } from '../support/libraries';
import { dispose, pair } from '../support/libraries';
import type { RawClient, WireFrame } from '../support/raw-client';

/** A client's close frame without a code. */
export const closeFrame = makeFrame({ opcode: CLOSE, key: 1 });

/** A scenario gives what can be seen of a library when it is used in some way. */
export type Scenario = (library: Library) => Promise<unknown>;
export type Scenarios = Readonly<Record<string, Scenario>>;

/** A scenario whose outcome differs on purpose. */
export interface Difference {
  readonly run: Scenario;
  readonly ws: unknown;
  readonly upwire: unknown;
}
export type Differences = Readonly<Record<string, Difference>>;

/** A value in a form that compares by content and tells its kind. */
export function show(value: unknown): unknown {
  // Not by its class: the errors of zlib are not of the realm of the tests.
  if (isNativeError(value)) {
    const { code } = value as { code?: unknown };
    return `${value.name}: ${value.message}${code === undefined ? '' : ` [${String(code)}]`}`;
  }
  if (Buffer.isBuffer(value)) return `Buffer ${value.toString('hex')}`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(show);
  return value;
}

/** What a call throws, or gives. */
export function outcome(call: () => unknown): unknown {
  try {
    return ['returned', show(call())];
  } catch (error) {
    return ['threw', show(error)];
  }
}

export function showFrame(frame: WireFrame): string {
  return `${frame.first.toString(16).padStart(2, '0')} ${frame.payload.toString('hex')}`;
}

/** The frames that a client gets until the connection ends. */
export async function wire(client: RawClient): Promise<string[]> {
  return (await client.frames()).map(showFrame);
}

/** The frames that a client gets up to a close frame, which it answers. */
export async function wireToClose(client: RawClient): Promise<string[]> {
  const frames: string[] = [];
  for (;;) {
    const frame = await client.frame();
    if (frame === undefined) throw new Error(`No close frame behind ${frames.join(', ')}`);
    frames.push(showFrame(frame));
    if (frame.first === 0x88) break;
  }
  client.write(closeFrame);
  if ((await client.frame()) !== undefined) throw new Error('A frame came behind the close frame');
  return frames;
}

const EVENTS = ['open', 'message', 'ping', 'pong', 'error', 'close'];

/** Notes every event of a socket with the `readyState` it comes in. */
export class Transcript {
  readonly entries: unknown[] = [];
  readonly closed: Promise<void>;

  constructor(socket: WebSocket) {
    for (const name of EVENTS) {
      socket.on(name, (...args: unknown[]) => {
        this.entries.push([name, socket.readyState, ...args.map(show)]);
      });
    }
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  note(...entry: unknown[]): void {
    this.entries.push(entry.map(show));
  }
}

export interface Scene extends Pair {
  readonly events: Transcript;
}

/** Runs a scenario on a connected pair, whose events are noted from the start. */
export function scene(
  run: (scene: Scene) => unknown,
  options: Options = {},
  headers?: Record<string, string>,
): Scenario {
  return async (library) => {
    let events: Transcript | undefined;
    const connected = await pair(
      library,
      options,
      (socket) => {
        events = new Transcript(socket);
      },
      headers,
    );
    if (events === undefined) throw new Error('There was no connection');
    try {
      return await run({ ...connected, events });
    } finally {
      await dispose(connected);
    }
  };
}
