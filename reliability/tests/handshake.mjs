import { Client } from '../client/client.mjs';
import { text } from '../client/frames.mjs';
import { handshake } from '../client/handshake.mjs';
import { list, outcome } from './outcome.mjs';

const version = (value) => [
  `version ${value}`,
  handshake('/echo', { 'Sec-WebSocket-Version': value }),
];
const twice = (name, value) => [
  `two headers ${name}`,
  handshake('/echo').replace('\r\n\r\n', `\r\n${name}: ${value}\r\n\r\n`),
];

/** Handshakes that break a rule of RFC 6455 4.2.1. */
const malformed = [
  ...['POST', 'PUT', 'HEAD', 'DELETE'].map((method) => [
    method,
    handshake('/echo', {}, { method }),
  ]),
  ['HTTP/1.0', handshake('/echo', {}, { version: 'HTTP/1.0' })],
  ['no Host', handshake('/echo', { Host: null })],
  ['a Host that is none', handshake('/echo', { Host: 'a b' })],
  twice('Host', 'other.example'),
  ['no key', handshake('/echo', { 'Sec-WebSocket-Key': null })],
  ['a short key', handshake('/echo', { 'Sec-WebSocket-Key': 'AAAA' })],
  ['a long key', handshake('/echo', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==AAAA' })],
  twice('Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='),
  ['no version', handshake('/echo', { 'Sec-WebSocket-Version': null })],
  twice('Sec-WebSocket-Version', '13'),
  ...['7', '12', '14', '0x0d', '0xd', '1.3e1', '13.0', '+13', '13, 13', '13,8'].map(version),
];

const refusals = [400, 405, 426, 505];

async function answerTo(address, bytes) {
  const client = await Client.connect(address);
  client.write(bytes);
  const status = await client.status(2_000);
  const ended = status === 101 ? false : await client.ends(1_000);
  client.destroy();
  return { status, ended };
}

async function malformedHandshakes(context) {
  const { address } = await context.server();
  const wrong = [];
  for (const [what, bytes] of malformed) {
    const { status, ended } = await answerTo(address, bytes);
    if (status === 101) wrong.push(what);
    else if (!refusals.includes(status)) wrong.push(`${what} (${status || 'no answer'})`);
    else if (!ended) wrong.push(`${what} (stays open)`);
  }
  return outcome(
    wrong.length === 0,
    wrong.length === 0
      ? `${malformed.length} of ${malformed.length} refused`
      : `not refused: ${list(wrong)}`,
  );
}

const bodies = [
  ['Content-Length', { 'Content-Length': '8' }, text('hi')],
  ['chunked', { 'Transfer-Encoding': 'chunked' }, '2\r\nhi\r\n0\r\n\r\n'],
  ['both', { 'Content-Length': '4', 'Transfer-Encoding': 'chunked' }, '0\r\n\r\n'],
];

async function handshakesWithBodies(context) {
  const { address } = await context.server({ careful: true });
  const figures = [];
  let passed = true;
  for (const [what, headers, body] of bodies) {
    const client = await Client.connect(address);
    client.write(handshake('/echo', headers), body);
    const status = await client.status(2_000);
    const ended = await client.ends(1_000);
    client.destroy();
    if (status !== 400 || !ended) passed = false;
    figures.push(`${what} ${status || 'no answer'}${ended ? '' : ', open'}`);
  }
  return outcome(passed, figures.join('; '));
}

/** Evil values with what would be in the answer if they came through. */
const injections = [
  ['Sec-WebSocket-Protocol', 'a\rX-Injected: 1'],
  ['Sec-WebSocket-Protocol', 'a\nX-Injected: 1'],
  ['Sec-WebSocket-Protocol', 'a\0b'],
  ['Sec-WebSocket-Protocol', 'a b'],
  ['Sec-WebSocket-Protocol', 'a,,b'],
  ['Sec-WebSocket-Protocol', 'a;b'],
  ['Sec-WebSocket-Protocol', '\u00e9'],
  ['Sec-WebSocket-Protocol', ','],
  ['Sec-WebSocket-Extensions', 'permessage-deflate\rX-Injected: 1'],
  ['Sec-WebSocket-Extensions', 'permessage-deflate; a="\r\nX-Injected: 1"'],
  ['Sec-WebSocket-Extensions', 'permessage-deflate\0'],
  ['Sec-WebSocket-Extensions', '; ;'],
  ['X-Custom', 'a\rX-Injected: 1'],
  ['X-Custom', 'a\0b'],
  ['X Custom', 'a'],
  ['X-Custom\r', 'a'],
];

async function injectedHeaders(context) {
  const server = await context.server({ options: { perMessageDeflate: true } });
  const wrong = [];
  for (const [name, value] of injections) {
    const client = await Client.connect(server.address);
    client.socket.write(handshake('/echo', { [name]: value }), 'latin1');
    const head = await client.head(2_000);
    client.destroy();
    const answered = / (400|101) /.test(head.slice(0, 14));
    const leaked = /\r\n(x-injected|sec-websocket-protocol):/i.test(head);
    if (!answered || leaked) wrong.push(`${name}: ${JSON.stringify(value)}`);
  }
  const alive = await server.alive();
  return outcome(
    wrong.length === 0 && alive,
    `${injections.length - wrong.length} of ${injections.length} refused or dropped${alive ? '' : ', DEAD'}${wrong.length > 0 ? `; not: ${list(wrong)}` : ''}`,
  );
}

const origins = (port) => [
  ['null', 'null'],
  ['another site', 'http://evil.example'],
  ['a name that begins alike', `http://127.0.0.1.evil.example:${port}`],
  ['user info', `http://127.0.0.1:${port}@evil.example`],
  ['another port', 'http://127.0.0.1:1'],
  ['another scheme', `https://127.0.0.1:${port}`],
  ['a path', `http://evil.example/http://127.0.0.1:${port}`],
  ['IDN', 'http://127\u3002evil.example'],
  ['two', `http://127.0.0.1:${port} http://evil.example`],
  ['nothing', ''],
];

async function foreignOrigins(context) {
  const { address } = await context.server();
  const host = `127.0.0.1:${address.port}`;
  const statusOf = async (origin) => {
    const client = await Client.connect(address);
    const headers = origin === undefined ? {} : { Origin: origin };
    client.socket.write(handshake('/echo', { Host: host, ...headers }), 'utf8');
    const status = await client.status(2_000);
    client.destroy();
    return status;
  };
  const foreign = origins(address.port);
  const accepted = [];
  for (const [what, origin] of foreign) {
    if ((await statusOf(origin)) === 101) accepted.push(what);
  }
  const works = (await statusOf(`http://${host}`)) === 101 && (await statusOf()) === 101;
  return outcome(
    accepted.length === 0 && works,
    `${accepted.length} of ${foreign.length} accepted${works ? '' : ', and its own refused'}`,
  );
}

export const tests = [
  {
    id: 'H2',
    title: `malformed handshakes, ${malformed.length} kinds`,
    pass: '400, 405, 426 or 505 and the end, never 101',
    run: malformedHandshakes,
  },
  {
    id: 'H3',
    title: 'a handshake with a body',
    pass: '400, connection closed',
    run: handshakesWithBodies,
  },
  {
    id: 'H8',
    title: 'pages of other origins',
    pass: 'refused by default',
    // With the engine, as with ws, it is the application that looks at the origin.
    only: ({ framework }) => framework,
    run: foreignOrigins,
  },
  {
    id: 'H9',
    title: 'CR, LF, NUL and non-tokens in headers',
    pass: '400 or dropped, no header injected',
    run: injectedHeaders,
  },
];
