/**
 * What TypeScript makes of the package, for code that was written with the types of `@types/ws`. Nothing here runs: `npm
 * run typecheck` passes when every line has the type that it is expected to have, and every line under `@ts-expect-error`
 * is an error.
 */
import { subscribe } from 'node:diagnostics_channel';
import { EventEmitter, once } from 'node:events';
import type { ClientRequest, ClientRequestArgs, OutgoingHttpHeaders } from 'node:http';
import { Agent, createServer, IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createConnection } from 'node:net';
import type { Duplex, DuplexOptions } from 'node:stream';

import type { MessageWebSocket } from '../src/internal';

import WebSocket = require('../src/index');

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Takes a value whose type is exactly `Expected`. */
function expectType<Expected>(): <Actual>(
  value: Actual,
  ...same: Same<Actual, Expected> extends true ? [] : ['not the same type']
) => void {
  return () => undefined;
}

const reject = (_error: Error): void => undefined;
const maybe = (_error?: Error): void => undefined;

export function client(): void {
  const webSocket = new WebSocket('ws://localhost');
  new WebSocket(null);
  new WebSocket(new URL('ws://localhost'), ['chat'], { origin: 'http://localhost' });
  new WebSocket.WebSocket('ws://localhost', 'chat');
  new WebSocket('ws://localhost', { perMessageDeflate: { threshold: 0 } });

  expectType<'nodebuffer' | 'arraybuffer' | 'fragments'>()(webSocket.binaryType);
  webSocket.binaryType = 'arraybuffer';
  webSocket.binaryType = 'blob';
  expectType<0 | 1 | 2 | 3>()(webSocket.readyState);
  expectType<number>()(webSocket.bufferedAmount);
  expectType<boolean>()(webSocket.isPaused);
  const texts: string[] = [webSocket.url, webSocket.protocol, webSocket.extensions];
  const states: [0, 1, 2, 3] = [
    WebSocket.CONNECTING,
    webSocket.OPEN,
    WebSocket.CLOSING,
    webSocket.CLOSED,
  ];
  console.log(texts, states);

  webSocket.send('text', maybe);
  webSocket.send(Buffer.alloc(1), { binary: false, compress: true, fin: true, mask: false }, maybe);
  webSocket.send(5);
  webSocket.send(new Uint16Array(1));
  webSocket.send([1, 2, 3]);
  webSocket.send(new Blob(['a']));
  webSocket.send({ valueOf: () => 'text' });
  webSocket.ping();
  webSocket.ping(maybe);
  webSocket.ping('data', false, reject);
  webSocket.pong({ of: 'any kind' }, undefined, reject);
  webSocket.ping('data', true, (error) => {
    expectType<Error | undefined>()(error);
  });
  webSocket.close();
  webSocket.close(1000, Buffer.from('bye'));
  webSocket.terminate();
  webSocket.pause();
  webSocket.resume();

  // @ts-expect-error no such property
  webSocket.sendd;
  // @ts-expect-error no such form
  webSocket.binaryType = 'text';
  // @ts-expect-error a code is a number
  webSocket.close('1000');
  // @ts-expect-error not a number
  new WebSocket('ws://localhost', { maxPayload: '1mb' });
  // @ts-expect-error no such option
  new WebSocket('ws://localhost', { maxPaylod: 1 });
}

export function clientOptions(): void {
  const options: WebSocket.ClientOptions = {
    protocol: 'chat',
    followRedirects: true,
    generateMask(mask) {
      expectType<Buffer>()(mask);
    },
    handshakeTimeout: 1,
    maxRedirects: 1,
    perMessageDeflate: false,
    localAddress: '127.0.0.1',
    protocolVersion: 13,
    headers: { Cookie: 'a=b' },
    origin: 'http://localhost',
    agent: new Agent(),
    host: 'localhost',
    family: 4,
    checkServerIdentity: (_host: string, _certificate: WebSocket.CertMeta) => true,
    rejectUnauthorized: false,
    allowSynchronousEvents: false,
    autoPong: false,
    maxPayload: 1,
    maxBufferedChunks: 1,
    maxFragments: 1,
    skipUTF8Validation: true,
    createConnection,
    finishRequest: (request, webSocket) => {
      expectType<ClientRequest>()(request);
      expectType<WebSocket.WebSocket>()(webSocket);
      request.end();
    },
    // What `ws` 8.23 has, and @types/ws does not.
    closeTimeout: 1,
    maxPendingAutoPongs: 1,
    protocols: ['chat'],
  };
  const ofNode: ClientRequestArgs = { host: 'localhost', headers: {} };
  new WebSocket('ws://localhost', options);
  new WebSocket('ws://localhost', ofNode);
  new WebSocket('ws://localhost', 'chat', ofNode);
  new WebSocket('ws://localhost', {
    checkServerIdentity: (host, certificate) => {
      expectType<string>()(host);
      certificate.subject.O?.toString();
      certificate.fingerprint.toUpperCase();
      return undefined;
    },
    createConnection: (given, created) => {
      created(null, undefined);
      expectType<ClientRequestArgs>()(given);
      return null;
    },
  });
}

export function webSocketEvents(webSocket: WebSocket): void {
  webSocket.on('open', () => undefined);
  webSocket.on('message', (data, isBinary) => {
    expectType<WebSocket.RawData>()(data);
    expectType<boolean>()(isBinary);
  });
  webSocket.on('message', (data: Buffer) => webSocket.send(data.subarray(1)));
  webSocket.on('message', (text: string) => text.length);
  webSocket.on('message', async (data: Buffer, isBinary: boolean) => isBinary || data.length);
  webSocket.on('close', function (code, reason) {
    expectType<WebSocket>()(this);
    expectType<number>()(code);
    expectType<Buffer>()(reason);
  });
  webSocket.once('error', (error) => expectType<Error>()(error));
  webSocket.once('error', (error: NodeJS.ErrnoException) => error.code);
  webSocket.addListener('ping', (data) => expectType<Buffer>()(data));
  webSocket.prependListener('pong', (data) => expectType<Buffer>()(data));
  webSocket.on('upgrade', (response) => expectType<IncomingMessage>()(response));
  webSocket.on('redirect', (url, request) => {
    expectType<string>()(url);
    expectType<ClientRequest>()(request);
  });
  webSocket.on('unexpected-response', (request, response) => {
    expectType<ClientRequest>()(request);
    expectType<IncomingMessage>()(response);
  });
  webSocket.on('drain', () => undefined);
  const either: 'ping' | 'pong' = Math.random() < 1 ? 'ping' : 'pong';
  webSocket.on(either, (data) => expectType<Buffer>()(data));

  // An event of the application's own carries whatever its listener says.
  webSocket.on('custom', function (first, second: number) {
    this.send(first.whatever, { binary: second > 0 });
  });
  webSocket.on(Symbol('custom'), () => undefined);
  webSocket.emit('message', Buffer.alloc(0), true);
  webSocket.emit('custom', 1, 2, 3);

  const listener = (code: number): void => console.log(code);
  webSocket.on('close', listener).off('close', listener).removeListener('close', listener);
  webSocket.removeAllListeners('close').setMaxListeners(0).send('the same WebSocket');
  expectType<WebSocket>()(webSocket.prependOnceListener('close', listener));
  once(webSocket, 'open').then(([first]) => first);
  const emitter: EventEmitter = webSocket;
  emitter.on('anything', () => undefined);

  // @ts-expect-error an event needs a function
  webSocket.on('message', 'listener');
}

export function attributes(webSocket: WebSocket): void {
  webSocket.onopen = (event) => {
    expectType<WebSocket.Event>()(event);
    event.target.send('hello');
  };
  webSocket.onmessage = ({ data, type, target }) => {
    expectType<WebSocket.Data>()(data);
    expectType<string>()(type);
    const same: WebSocket = target;
    same.send(data);
  };
  webSocket.onclose = (event: WebSocket.CloseEvent) => {
    const values: [number, string, boolean] = [event.code, event.reason, event.wasClean];
    console.log(values);
  };
  webSocket.onerror = ({ error, message }: WebSocket.ErrorEvent) => {
    expectType<string>()(message);
    console.log(error.code);
  };
  webSocket.onerror = null;
  webSocket.onmessage?.({ data: 'by hand', type: 'message', target: webSocket });

  const object = { handleEvent: (event: WebSocket.MessageEvent): void => console.log(event.data) };
  webSocket.addEventListener('message', object, { once: true });
  webSocket.addEventListener('close', (event) => expectType<WebSocket.CloseEvent>()(event));
  webSocket.removeEventListener('message', object);
  const once: WebSocket.EventListenerOptions = { once: true };
  const map: keyof WebSocket.WebSocketEventMap = 'open';
  webSocket.addEventListener(map, () => undefined, once);

  // @ts-expect-error a browser has no such event
  webSocket.addEventListener('ping', () => undefined);
  // @ts-expect-error neither a function nor null
  webSocket.onopen = 'listener';
}

class Member extends WebSocket {
  name = 'nobody';
}

class NumberedRequest extends IncomingMessage {
  readonly number: number = 1;
}

export function server(): void {
  const plain = new WebSocket.Server({ port: 0 }, () => undefined);
  expectType<WebSocket.AddressInfo | string | null>()(plain.address());
  expectType<Set<WebSocket.WebSocket>>()(plain.clients);
  for (const webSocket of plain.clients) {
    if (webSocket.readyState === WebSocket.OPEN) webSocket.send('to all');
  }
  const values: [string, number | undefined] = [plain.path, plain.options.port];
  console.log(values);
  plain.close();
  plain.close((error) => error?.message);
  plain.on('connection', function (webSocket, request) {
    expectType<WebSocket.WebSocketServer>()(this);
    expectType<WebSocket.WebSocket>()(webSocket);
    expectType<IncomingMessage>()(request);
  });
  plain.on('connection', (webSocket: WebSocket, request: IncomingMessage) => {
    webSocket.send(request.url ?? '');
  });
  plain.once('headers', (lines, request) => {
    lines.push(`X-Path: ${request.url}`);
  });
  plain.on('wsClientError', (error, socket, request) => {
    expectType<Error>()(error);
    expectType<Duplex>()(socket);
    expectType<IncomingMessage>()(request);
  });
  plain.on('listening', () => undefined).on('close', () => undefined);
  plain.on('error', (error) => expectType<Error>()(error));
  plain.on('custom', (first, second) => first.whatever + second);

  const members = new WebSocket.WebSocketServer({
    server: createServer({ IncomingMessage: NumberedRequest }),
    WebSocket: Member,
    verifyClient: ({ origin, secure, req }, answer) => {
      expectType<string>()(origin);
      expectType<boolean>()(secure);
      const headers: OutgoingHttpHeaders = { 'Retry-After': req.number };
      answer(false, 503, 'Later', headers);
    },
    handleProtocols: (protocols, request) => {
      expectType<Set<string>>()(protocols);
      return protocols.has(String(request.number)) && String(request.number);
    },
  });
  members.on('connection', (member, request) => {
    expectType<Member>()(member);
    expectType<NumberedRequest>()(request);
  });
  expectType<Set<Member>>()(members.clients);
  const generic: WebSocket.Server<typeof Member, typeof NumberedRequest> = members;
  generic.handleUpgrade(
    new NumberedRequest(createConnection(80)),
    createConnection(80),
    Buffer.alloc(0),
    (member, request) => generic.emit('connection', member, request),
  );

  new WebSocket.Server({
    noServer: true,
    verifyClient: (info: { origin: string; secure: boolean; req: IncomingMessage }) => info.secure,
  });
  new WebSocket.Server({ noServer: true, verifyClient: async ({ origin }) => origin !== '' });
  new WebSocket.Server({ server: createSecureServer() });

  class Routed extends WebSocket.Server<typeof Member> {
    override async shouldHandle(request: IncomingMessage): Promise<boolean> {
      return request.url === this.path;
    }
  }
  new Routed({ noServer: true, WebSocket: Member }).on('connection', (member) => member.name);

  // @ts-expect-error neither a function nor undefined
  new WebSocket.Server({ noServer: true, verifyClient: true });
  // @ts-expect-error not a class of WebSockets
  new WebSocket.Server({ noServer: true, WebSocket: EventEmitter });
  // @ts-expect-error no such option
  new WebSocket.Server({ noServer: true, maxPaylod: 1 });
}

export function decisions(): void {
  const server = new WebSocket.Server({
    noServer: true,
    onUpgrade: async (request) => {
      expectType<IncomingMessage>()(request);
      if (request.headers.cookie === undefined) return { status: 401, body: 'no' };
      if (request.url === '/a') return false;
      if (request.url === '/b') return new Response('no', { status: 403 });
      return { data: { user: 'ada' }, headers: { 'X-A': 'b' }, options: { maxPayload: 1 } };
    },
  });
  server.on('connection', (webSocket) => {
    expectType<{ user: string }>()(webSocket.data);
    webSocket.data.user = 'eve';
  });
  for (const webSocket of server.clients) expectType<{ user: string }>()(webSocket.data);
  const any: WebSocket.Server = server;
  any.on('connection', (webSocket) => expectType<unknown>()(webSocket.data));
  const named: WebSocket.Server<
    typeof WebSocket.WebSocket,
    typeof IncomingMessage,
    { data: { user: string } }
  > = server;
  named.close();

  const partly = new WebSocket.Server({
    noServer: true,
    onUpgrade: ({ url }) => (url === '/guest' ? undefined : { data: 5 }),
  });
  partly.on('connection', ({ data }) => expectType<number | undefined>()(data));
  const yes = new WebSocket.Server({ noServer: true, onUpgrade: ({ url }) => url === '/' });
  yes.on('connection', ({ data }) => expectType<undefined>()(data));
  const members = new WebSocket.Server({
    server: createServer({ IncomingMessage: NumberedRequest }),
    WebSocket: Member,
    onUpgrade: ({ number }) => ({ data: number }),
  });
  members.on('connection', (member) => {
    expectType<number>()(member.data);
    expectType<string>()(member.name);
  });
  new WebSocket.Server({ noServer: true, onUpgrade: (request) => console.log(request.url) });
  new WebSocket.Server({ noServer: true, onUpgrade: async () => undefined });
  const acceptance: WebSocket.UpgradeAcceptance = { protocol: 'chat', headers: new Headers() };
  const no: WebSocket.UpgradeRefusal = { status: 400, body: Uint8Array.of(1) };
  const decision: WebSocket.UpgradeDecision = Math.random() < 1 ? acceptance : no;
  new WebSocket.Server({ noServer: true, onUpgrade: () => decision });

  // @ts-expect-error no such property
  new WebSocket.Server({ noServer: true, onUpgrade: () => ({ stauts: 401 }) });
  // @ts-expect-error no decision
  new WebSocket.Server({ noServer: true, onUpgrade: () => 'yes' });
  // @ts-expect-error no such option
  new WebSocket.Server({ noServer: true, onUpgrade: () => ({ options: { maxPaylod: 1 } }) });
}

export function observing(server: WebSocket.Server): void {
  const { messages, bytes, ...counts }: WebSocket.ServerStats = server.stats();
  expectType<{ open: number; opened: number; closed: number; refused: number; errors: number }>()(
    counts,
  );
  console.log(messages.received + messages.sent + bytes.received + bytes.sent);
  // What a channel carries is known by its documentation alone.
  subscribe('upwire:open', (message) => {
    const { role, webSocket, request } = message as WebSocket.OpenMessage;
    if (role === 'server') webSocket.send(request?.url ?? '');
  });
  subscribe('upwire:close', (message) => {
    const { code, reason } = message as WebSocket.CloseMessage;
    console.log(code.toFixed(), reason.trim());
  });
  subscribe('upwire:refuse', (message) => {
    const { status, rule, request } = message as WebSocket.RefuseMessage;
    console.log(status?.toFixed(), rule.trim(), request.url);
  });
  subscribe('upwire:error', (message) => {
    const { error, webSocket } = message as WebSocket.ErrorMessage;
    expectType<unknown>()(error);
    webSocket?.terminate();
  });
}

export function closing(server: WebSocket.Server): void {
  const options: WebSocket.CloseOptions = { code: 1012, reason: 'restart', timeout: 1000 };
  expectType<Promise<void>>()(server.close(options));
  expectType<Promise<void>>()(server.close({}));
  expectType<void>()(server.close());

  // @ts-expect-error a code is a number
  server.close({ code: '1012' });
  // @ts-expect-error no such option
  server.close({ timeuot: 1 });
}

export function rest(webSocket: WebSocket): void {
  const options: DuplexOptions = { objectMode: true, encoding: 'utf8' };
  expectType<Duplex>()(WebSocket.createWebSocketStream(webSocket, options));
  WebSocket.createWebSocketStream(webSocket).pipe(process.stdout);

  const serverOptions: WebSocket.ServerOptions = {
    host: '127.0.0.1',
    port: 0,
    backlog: 1,
    path: '/chat',
    noServer: false,
    clientTracking: true,
    perMessageDeflate: {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 10,
      clientMaxWindowBits: 10,
      zlibDeflateOptions: { level: 9, memLevel: 9, strategy: 0, chunkSize: 1024, info: true },
      zlibInflateOptions: { chunkSize: 1024 },
      threshold: 0,
      concurrencyLimit: 1,
    },
    WebSocket,
  };
  new WebSocket.Server(serverOptions);
  const asynchronous: WebSocket.VerifyClientCallbackAsync = (_info, answer) => answer(true);
  const synchronous: WebSocket.VerifyClientCallbackSync<NumberedRequest> = ({ req }) =>
    req.number === 1;
  const finish: WebSocket.FinishRequestCallback = (request) => request.end();
  console.log(asynchronous, synchronous, finish);

  // The class has what every emitter's class has.
  expectType<number>()(WebSocket.defaultMaxListeners);
  // What `ws` 8.23 exports, and @types/ws does not know.
  expectType<Set<string>>()(WebSocket.subprotocol.parse('a, b'));
  WebSocket.extension.format(WebSocket.extension.parse('a; b'));
  new WebSocket.Sender((frames) => console.log(frames));
  new WebSocket.Receiver({ isServer: true }).on('conclude', () => undefined);
  new WebSocket.PerMessageDeflate().offer();
}

export async function beyondWs(webSocket: WebSocket): Promise<void> {
  expectType<WebSocket.WebSocket>()(await webSocket.opened);
  const { code, reason, wasClean }: WebSocket.CloseDetails = await webSocket.closed;
  expectType<number>()(code);
  expectType<string>()(reason);
  expectType<boolean>()(wasClean);
  for await (const message of webSocket) expectType<WebSocket.Data>()(message);
  const messages: AsyncIterableIterator<string | WebSocket.RawData> =
    webSocket[Symbol.asyncIterator]();
  await messages.return?.();
  const { readable, writable }: WebSocket.WebSocketStreams = webSocket.streams;
  for await (const chunk of readable) expectType<string | Uint8Array>()(chunk);
  await writable.getWriter().write(new Uint8Array(1));
  await readable.pipeTo(writable);
  const { server, client }: WebSocket.WebSocketPair = WebSocket.createPair({ protocol: 'chat' });
  server.send(client.protocol);

  const parsed = webSocket as MessageWebSocket<{ type: 'ping' } | { type: 'say'; text: string }>;
  for await (const message of parsed) {
    if (message.type === 'say') expectType<string>()(message.text);
  }
  for await (const chunk of parsed.streams.readable) expectType<'ping' | 'say'>()(chunk.type);

  // @ts-expect-error neither text nor bytes
  await writable.getWriter().write(1);
  // @ts-expect-error no such option
  WebSocket.createPair({ port: 1 });
}
