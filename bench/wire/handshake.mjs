// The opening handshake as a bare socket does it, in one write each way.
import { createHash } from 'node:crypto';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
/** RFC 6455 1.3. */
const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const acceptOf = (text) => createHash('sha1').update(text).update(guid).digest('base64');

/** What the client sends. The offer of compression is a browser's. */
export function requestBytes({ path = '/', cookie, deflate = false, port }) {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
  ];
  if (deflate) lines.push('Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits');
  if (cookie !== undefined) lines.push(`Cookie: ${cookie}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** Throws unless a server's answer opens the connection that was asked for. */
export function checkResponse(head, { deflate = false }) {
  const first = head.slice(0, head.indexOf('\r\n'));
  if (!first.startsWith('HTTP/1.1 101')) throw new Error(`The handshake was answered "${first}"`);
  if (!head.includes(acceptOf(key))) throw new Error('The 101 has a wrong Sec-WebSocket-Accept');
  if (/^sec-websocket-extensions: *permessage-deflate/im.test(head) !== deflate) {
    throw new Error(`Compression was ${deflate ? 'not ' : ''}agreed on:\n${head}`);
  }
}

/** What a server answers that looks at nothing but the key. The request has come in one piece. */
export function responseBytes(request) {
  const text = request.latin1Slice(0, request.length);
  const [, sent] = /^sec-websocket-key: *(\S+)/im.exec(text);
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(sent)}\r\n\r\n`;
}
