import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { memorySocketPair } from '../../../src/io/memory-socket';
import { WebSocketServer } from '../../../src/server';
import type { WebSocket } from '../../../src/websocket';
import type { Choices } from '../choices';
import { expectFault } from '../codes';
import { cutBytes, frameBytes } from '../frames';
import { requestHead } from '../headers';
import type { Target } from '../target';
import { Finding } from '../target';

const http = createServer((_request, response) => response.writeHead(404).end());
const server = new WebSocketServer({ server: http, perMessageDeflate: true, maxPayload: 100_000 });

let found: unknown;
server.on('connection', (webSocket: WebSocket) => {
  webSocket.on('error', (error) => {
    try {
      expectFault(error);
    } catch (finding) {
      found = finding;
    }
  });
  webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
});
server.on('error', (error) => {
  found = error;
});

const STATUS: ReadonlySet<number> = new Set([100, 101, 400, 404, 405, 417, 426, 431]);
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*$/;

/** A head and what comes behind it; throws unless the head is one. */
function readHead(bytes: Buffer): { status: number; headers: Map<string, string> } {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) throw new Finding('an answer without an end', bytes.toString('latin1'));
  const [line, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]);
  if (!STATUS.has(status)) throw new Finding('an undocumented status', line);
  const wrong = lines.find((text) => !HEADER.test(text));
  if (wrong !== undefined) throw new Finding('not a header', wrong);
  const pairs = lines.map((text): [string, string] => {
    const colon = text.indexOf(':');
    return [text.slice(0, colon).toLowerCase(), text.slice(colon + 2)];
  });
  return { status, headers: new Map(pairs) };
}

/** What a request must have that is accepted, read from its bytes alone. */
function expectAccepted(request: string, headers: ReadonlyMap<string, string>): void {
  const keys = [...request.matchAll(/^sec-websocket-key:[ \t]*([+/\w]{22}==)[ \t]*$/gim)];
  const accept = createHash('sha1')
    .update(`${keys[0]?.[1]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  if (keys.length !== 1 || headers.get('sec-websocket-accept') !== accept) {
    throw new Finding('accepted with another key', request, [...headers]);
  }
  if (!/^GET /.test(request)) throw new Finding('accepted another method', request);
  if (!/^upgrade:.*websocket/im.test(request)) throw new Finding('accepted unasked', request);
  const protocol = headers.get('sec-websocket-protocol');
  if (protocol !== undefined && !request.includes(protocol)) {
    throw new Finding('an own subprotocol', request, protocol);
  }
}

/** A server behind Node's own: requests as bytes, answers as bytes, and frames behind those that are accepted. */
export const serverHandshake: Target = {
  name: 'server',
  share: 8,
  async run(choices: Choices): Promise<void> {
    const request = requestHead(choices);
    const frames = choices.oneIn(2) ? frameBytes(choices, { masked: true, compression: true }) : [];
    const [client, socket] = memorySocketPair();
    const answer: Buffer[] = [];
    client.on('data', (chunk: Buffer) => answer.push(chunk));
    for (const end of [client, socket]) end.on('error', () => undefined);
    const closed = [client, socket].map((end) => new Promise((done) => end.once('close', done)));
    found = undefined;
    http.emit('connection', socket);
    for (const chunk of cutBytes(choices, Buffer.concat([request, Buffer.from(frames)]))) {
      client.write(chunk);
    }
    client.end();
    await Promise.all(closed);
    if (found !== undefined) throw found;
    const bytes = Buffer.concat(answer);
    if (bytes.length === 0) return;
    const { status, headers } = readHead(bytes);
    if (status === 101) expectAccepted(request.toString('latin1'), headers);
  },
};
