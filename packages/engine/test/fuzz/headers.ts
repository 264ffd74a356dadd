import type { Choices } from './choices';

const PIECES = [
  'permessage-deflate',
  'client_max_window_bits',
  'a',
  'chat',
  '=',
  ';',
  ',',
  '"',
  ' ',
  '\t',
  '\\',
  '8',
  'x-y',
  '__proto__',
  'constructor',
  '\u00e9',
  '\x00',
  '\x7f',
];

/** Text such as a header may have, and such as none has. */
export function headerText(choices: Choices, separator: string): string {
  let text = '';
  for (let left = 1 + choices.below(10); left > 0 && choices.more; left--) {
    text += choices.oneIn(6) ? String.fromCharCode(choices.byte()) : choices.pick(PIECES);
    if (choices.oneIn(3)) text += choices.pick([separator, ', ', '; ', '=', '="', '"']);
  }
  return text;
}

const REQUEST = [
  'GET /chat HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

const MORE = [
  'Sec-WebSocket-Protocol: chat, superchat',
  'Sec-WebSocket-Protocol: chat, chat',
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
  'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99',
  'Sec-WebSocket-Extensions: ;',
  'Origin: http://localhost',
  'Origin: null',
  'Content-Length: 0',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Host: other',
  'Host: a b',
  'Upgrade: h2c, websocket',
  'Upgrade: h2c',
  'Connection: keep-alive, upgrade',
  'Sec-WebSocket-Version: 8',
  'Sec-WebSocket-Version: 0xd',
  'Sec-WebSocket-Key: short',
  'Expect: 100-continue',
  ' folded',
];

const LINES = [
  'POST / HTTP/1.1',
  'GET / HTTP/1.0',
  'GET * HTTP/1.1',
  'GET http://a/ HTTP/1.1',
  'HEAD / HTTP/1.1',
  'CONNECT a:1 HTTP/1.1',
  'GET /',
  '',
];

/** The head of a handshake, often one that is not as it should be. */
export function requestHead(choices: Choices): Buffer {
  const lines = [...REQUEST];
  if (choices.oneIn(8)) lines[0] = choices.pick(LINES);
  return finish(choices, lines, MORE);
}

const ANSWERS = [
  'Sec-WebSocket-Protocol: chat',
  'Sec-WebSocket-Protocol: other',
  'Sec-WebSocket-Extensions: permessage-deflate',
  'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7',
  'Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate',
  'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12',
  'Sec-WebSocket-Extensions: x',
  'Upgrade: h2c',
  'Sec-WebSocket-Accept: wrong',
  'Location: http://localhost/',
  'Content-Length: 3',
  'Transfer-Encoding: chunked',
  'Set-Cookie: a=b',
  'Connection: close',
];

const STATUS = ['200 OK', '404 Not Found', '302 Found', '100 Continue', '999', '101', '500 '];

/** The head of an answer to a handshake with this accept key, often one that is not as it should be. */
export function responseHead(choices: Choices, accept: string): Buffer {
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
  ];
  if (choices.oneIn(6)) lines[0] = `HTTP/1.1 ${choices.pick(STATUS)}`;
  return finish(choices, lines, ANSWERS);
}

function finish(choices: Choices, lines: string[], more: readonly string[]): Buffer {
  if (choices.oneIn(4)) replace(lines, choices.pick(more));
  for (let left = choices.pick([0, 0, 1, 1, 2, 3]); left > 0; left--)
    lines.push(choices.pick(more));
  if (choices.oneIn(6)) lines.splice(1 + choices.below(lines.length - 1), 1);
  if (choices.oneIn(6))
    lines.push(`${choices.pick(more).split(':')[0]}: ${headerText(choices, ',')}`);
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (choices.oneIn(4)) {
    for (let left = 1 + choices.below(3); left > 0; left--) {
      head[choices.below(head.length)] = choices.byte();
    }
  }
  return choices.oneIn(24) ? head.subarray(0, choices.below(head.length)) : head;
}

/** Puts a line in the place of one with the same name. */
function replace(lines: string[], line: string): void {
  const [name] = line.split(':');
  const at = lines.findIndex((other) => other.startsWith(`${name}:`));
  if (at > 0) lines[at] = line;
}
