/** Runs a conversation of the table over a link. */
import type { Duplex } from 'node:stream';
import { WebSocketServer } from '../../../src/server';
import { Gateway } from '../../../src/upgrade/gateway';
import type { WebSocket } from '../../../src/websocket';
import { CLOSE } from '../../support/frames';
import { request } from '../../support/raw-client';
import { accepting } from '../../support/site';
import type { Conversation, Role, Step } from '../case';
import { encode } from '../case';
import type { AnyChunking } from './chunks';
import { writeChunks } from './chunks';
import { acceptOf } from './handshake';
import type { Link } from './links';
import { showClose, showMessage, showPayload } from './show';
import { quietness, settled } from './wait';
import { inflater, WireReader } from './wire';

const CLOSED = 3;

/** What came of one step. */
export interface Outcome {
  readonly wire: readonly string[];
  readonly told: readonly string[];
}

export interface Run {
  readonly expected: readonly Outcome[];
  readonly actual: readonly Outcome[];
}

/** Both ends of an established connection. */
interface Ends {
  readonly peer: Duplex;
  readonly wire: WireReader;
  readonly webSocket: WebSocket;
  /** What the application is told. */
  readonly told: string[];
}

type Prepare = (webSocket: WebSocket) => void;

/** A server of ours accepts the raw peer. */
export async function enterServer(
  link: Link,
  { options, deflate }: Pick<Conversation, 'options' | 'deflate'>,
  prepare: Prepare,
): Promise<Omit<Ends, 'told'>> {
  const server = new WebSocketServer({
    ...options,
    noServer: true,
    clientTracking: false,
    perMessageDeflate: deflate === undefined ? false : { threshold: 0 },
  });
  let accept: (webSocket: WebSocket) => void = () => undefined;
  const accepted = new Promise<WebSocket>((resolve) => {
    accept = resolve;
  });
  const peer = await link.connect((incoming, socket, head) => {
    server.handleUpgrade(incoming, socket, head, (webSocket) => {
      prepare(webSocket);
      accept(webSocket);
    });
  });
  return knock(peer, accepted, deflate);
}

/** The gateway of the adapters accepts the raw peer, for an application of `node:http` alone. */
export async function enterGateway(
  link: Link,
  { options, deflate }: Pick<Conversation, 'options' | 'deflate'>,
  prepare: Prepare,
): Promise<Omit<Ends, 'told'>> {
  let accept: (webSocket: WebSocket) => void = () => undefined;
  const accepted = new Promise<WebSocket>((resolve) => {
    accept = resolve;
  });
  const app = accepting((webSocket) => {
    prepare(webSocket);
    accept(webSocket);
  });
  const perMessageDeflate = deflate === undefined ? false : { threshold: 0 };
  const gateway = new Gateway(
    { dispatch: app, routes: () => 'here' },
    { ...options, perMessageDeflate },
  );
  const site = await link.site(app, (http) => gateway.attach(http));
  return knock(await site.connect(), accepted, deflate);
}

/** The raw peer asks, and has to be accepted. */
async function knock(
  peer: Duplex,
  accepted: Promise<WebSocket>,
  deflate: string | undefined,
): Promise<Omit<Ends, 'told'>> {
  const wire = new WireReader('server', peer);
  const head = wire.head();
  peer.write(request(deflate === undefined ? {} : { 'Sec-WebSocket-Extensions': deflate }));
  const [webSocket, response] = await Promise.all([accepted, head]);
  const extensions = /^Sec-WebSocket-Extensions: (.*)$/im.exec(response)?.[1];
  if (extensions !== deflate) throw new Error(`Not what was to be agreed on: ${extensions}`);
  return { peer, wire, webSocket };
}

/** A client of ours enters the raw peer. */
export async function enterClient(
  link: Link,
  { options, deflate, early = [] }: Pick<Conversation, 'options' | 'deflate' | 'early'>,
  prepare: Prepare,
): Promise<Omit<Ends, 'told'>> {
  const perMessageDeflate = deflate === undefined ? false : { threshold: 0 };
  const [webSocket, peer] = await link.accept([], { ...options, perMessageDeflate });
  prepare(webSocket);
  const opened = new Promise<void>((resolve, reject) => {
    webSocket.once('open', resolve);
    webSocket.once('error', reject);
  });
  const wire = new WireReader('client', peer);
  const asked = await wire.head();
  const head =
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${acceptOf(asked)}\r\n` +
    (deflate === undefined ? '' : `Sec-WebSocket-Extensions: ${deflate}\r\n`) +
    '\r\n';
  peer.write(Buffer.concat([Buffer.from(head), ...early.map((sent) => encode(sent, 'client'))]));
  await opened;
  return { peer, wire, webSocket };
}

/** The application under test: it writes down what it is told, and sends messages back. */
function application(told: string[], echo: boolean): Prepare {
  return (webSocket) => {
    // The gateway's give text as a string.
    webSocket.on('message', (data: Buffer | string, isBinary: boolean) => {
      told.push(showMessage(Buffer.from(data), isBinary));
      if (echo) webSocket.send(data, { binary: isBinary });
    });
    webSocket.on('ping', (data: Buffer) => told.push(showPayload('ping', data)));
    webSocket.on('pong', (data: Buffer) => told.push(showPayload('pong', data)));
    webSocket.on('error', (error: Error & { code?: string }) => told.push(`error ${error.code}`));
    webSocket.on('close', (code: number, reason: Buffer) => told.push(showClose(code, reason)));
  };
}

/** The step that ends a conversation which has not ended by itself: the connection is still of use. */
function farewell(role: Role): Step[] {
  const peer = [{ opcode: CLOSE, payload: Buffer.from([3, 232]) }];
  if (role === 'server') return [{ peer, wire: ['close 1000', 'end'], told: ['close 1000'] }];
  // RFC 6455 7.1.1: a client waits for the server to end TCP.
  return [
    { peer, wire: ['close 1000'] },
    { peer: 'end', wire: ['end'], told: ['close 1000'] },
  ];
}

const hasClosed = ({ told = [] }: Step): boolean => told.some((line) => line.startsWith('close '));

/** What is under test: a `WebSocketServer`, the gateway of the adapters, or a client. */
export type Side = Role | 'gateway';

export const roleOf = (side: Side): Role => (side === 'client' ? 'client' : 'server');

const ENTER = { server: enterServer, gateway: enterGateway, client: enterClient } as const;

export async function converse(
  link: Link,
  conversation: Conversation,
  side: Side,
  chunking: AnyChunking,
): Promise<Run> {
  const { steps, deflate, echo = true, id } = conversation;
  const told: string[] = [];
  const role = roleOf(side);
  const ends = { ...(await ENTER[side](link, conversation, application(told, echo))), told };
  if (deflate !== undefined) ends.wire.inflate = inflaterFor(deflate, role);
  const all = steps.some(hasClosed) ? steps : [...steps, ...farewell(role)];
  const actual: Outcome[] = [];
  for (const [index, step] of all.entries()) {
    actual.push(await take(link, ends, step, role, chunking, `${id} ${index}`));
  }
  ends.peer.destroy();
  ends.webSocket.terminate();
  const expected = all.map(({ wire = [], told: lines = [] }) => ({ wire, told: lines }));
  return link.exact
    ? { expected, actual }
    : { expected: [joined(expected)], actual: [joined(actual)] };
}

function inflaterFor(deflate: string, role: Role): (payload: Buffer) => Buffer {
  const own = new RegExp(`${role}_max_window_bits=(\\d+)`).exec(deflate)?.[1];
  return inflater(!deflate.includes(`${role}_no_context_takeover`), Number(own ?? 15));
}

/** Over real sockets only the whole is exact: what a step brings may be seen in the next. */
function joined(outcomes: readonly Outcome[]): Outcome {
  return {
    wire: outcomes.flatMap(({ wire }) => wire),
    told: outcomes.flatMap(({ told }) => told),
  };
}

async function take(
  link: Link,
  { peer, wire, webSocket, told }: Ends,
  step: Step,
  role: Role,
  chunking: AnyChunking,
  seed: string,
): Promise<Outcome> {
  step.app?.run(webSocket);
  if (step.peer === 'end') peer.end();
  else if (step.peer !== undefined) {
    const bytes = Buffer.concat(step.peer.map((sent) => encode(sent, role)));
    writeChunks(peer, bytes, chunking, seed);
    await settled(() => peer.writableLength === 0 || peer.destroyed);
  }
  const { wire: expectedWire = [], told: expectedTold = [] } = step;
  const isThere = (): boolean =>
    wire.log.length >= expectedWire.length && told.length >= expectedTold.length;
  // Nothing comes behind the end of both.
  const isOver = (): boolean => peer.destroyed && webSocket.readyState === CLOSED;
  await settled(() => isThere() || isOver());
  if (link.exact || isOver()) await quietness();
  return { wire: wire.log.splice(0), told: told.splice(0) };
}
