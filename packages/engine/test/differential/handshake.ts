import type { WebSocket, WebSocketServer } from 'ws';
import type { Library, Options } from '../support/libraries';
import { dispose, listen, portOf } from '../support/libraries';
import { RawClient, request } from '../support/raw-client';
import type { Differences, Scenario, Scenarios } from './transcript';
import { outcome, show } from './transcript';

/** What a server answers to some bytes; without the `Date`, which no two answers share. */
function answer(
  bytes: string,
  options: Options = {},
  prepare: (server: WebSocketServer, notes: unknown[]) => void = () => undefined,
): Scenario {
  return async (library: Library) => {
    const server = await listen(library, options);
    const notes: unknown[] = [];
    prepare(server, notes);
    const client = await RawClient.connect(portOf(server));
    client.write(bytes);
    const head = (await client.head()).replace(/^Date: .*\r\n/m, '');
    const body = head.startsWith('HTTP/1.1 101 ') ? '' : (await client.rest()).toString();
    await dispose({ server, client });
    return { head, body, notes };
  };
}

const refused = (status: string, message: string, ...headers: string[]) => ({
  head: `HTTP/1.1 ${[
    status,
    'Connection: close',
    'Content-Type: text/html',
    `Content-Length: ${message.length}`,
    ...headers,
  ].join('\r\n')}\r\n\r\n`,
  body: message,
  notes: [],
});

const accepted = (...headers: string[]) => ({
  head: `HTTP/1.1 ${[
    '101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    ...headers,
  ].join('\r\n')}\r\n\r\n`,
  body: '',
  notes: [],
});

const offer = { 'Sec-WebSocket-Protocol': 'chat, superchat' };
const extensions = (value: string) => request({ 'Sec-WebSocket-Extensions': value });

export const handshakes: Scenarios = {
  'a handshake': answer(request()),
  'a handshake of version 8': answer(request({ 'Sec-WebSocket-Version': '8' })),
  'an Upgrade header in capitals': answer(request({ Upgrade: 'WEBSOCKET' })),
  'a POST': answer(request({}, 'POST / HTTP/1.1')),
  'a HEAD': answer(request({}, 'HEAD / HTTP/1.1')),
  'an upgrade to something else': answer(request({ Upgrade: 'h2c' })),
  'no key': answer(request({ 'Sec-WebSocket-Key': null })),
  'a key that is too short': answer(request({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZQ==' })),
  'a key in another alphabet': answer(request({ 'Sec-WebSocket-Key': 'dGhl-HNhbXBsZSBub25j_Q==' })),
  'two keys': answer(
    request().replace('\r\n\r\n', '\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'),
  ),
  'no version': answer(request({ 'Sec-WebSocket-Version': null })),
  'version 7': answer(request({ 'Sec-WebSocket-Version': '7' })),
  'version 14': answer(request({ 'Sec-WebSocket-Version': '14' })),
  'the wrong path': answer(request({}, 'GET /other?a=/here HTTP/1.1'), { path: '/here' }),
  'the right path with a query': answer(request({}, 'GET /here?a=1 HTTP/1.1'), { path: '/here' }),
  'a path in another case': answer(request({}, 'GET /HERE HTTP/1.1'), { path: '/here' }),
  'shouldHandle says no': answer(request(), {}, (server) => {
    server.shouldHandle = () => false;
  }),
  'an empty Sec-WebSocket-Protocol': answer(request({ 'Sec-WebSocket-Protocol': '' })),
  'a Sec-WebSocket-Protocol with a hole': answer(request({ 'Sec-WebSocket-Protocol': 'a,,b' })),
  'a subprotocol twice': answer(request({ 'Sec-WebSocket-Protocol': 'a,a' })),
  'the first subprotocol': answer(request(offer)),
  'a chosen subprotocol': answer(request(offer), { handleProtocols: () => 'superchat' }),
  'no subprotocol chosen': answer(request(offer), { handleProtocols: () => false }),
  'no subprotocol offered': answer(request(), { handleProtocols: () => 'chat' }),
  'what handleProtocols is given': answer(request(offer), {}, (server, notes) => {
    server.options.handleProtocols = (offered, { url }) => {
      notes.push([...offered], url);
      return false;
    };
  }),
  'verifyClient says yes': answer(request(), { verifyClient: () => true }),
  'verifyClient says no': answer(request(), { verifyClient: () => false }),
  ...Object.fromEntries(
    [
      ['a path is no address of a host', 'GET http://localhost/here HTTP/1.1', '/here'],
      ['a path with a fragment', 'GET /here#there HTTP/1.1', '/here'],
      ['a path that is never asked for', 'GET /here?a=1 HTTP/1.1', '/here?a=1'],
      ['an empty path is any', 'GET /here HTTP/1.1', ''],
    ].map(([name, line, path]) => [name, answer(request({}, line), { path })]),
  ),
  'a body of no bytes': answer(request({ 'Content-Length': '0' })),
  'Connection among others': answer(request({ Connection: 'keep-alive, Upgrade' })),
  'two versions that are one': answer(
    request().replace('\r\n\r\n', '\r\nSec-WebSocket-Version: 13\r\n\r\n'),
  ),
  'subprotocols in two headers, with space around commas': answer(
    request({ 'Sec-WebSocket-Protocol': 'a , b' }).replace(
      '\r\n\r\n',
      '\r\nSec-WebSocket-Protocol: c\r\n\r\n',
    ),
    {},
    (server, notes) => {
      server.options.handleProtocols = (offered) => {
        notes.push([...offered]);
        return 'c';
      };
    },
  ),
  'a subprotocol in quotes': answer(request({ 'Sec-WebSocket-Protocol': '"a"' })),
  'extensions that cannot be read': answer(extensions('a;;='), { perMessageDeflate: true }),
  compression: answer(extensions('permessage-deflate; client_max_window_bits'), {
    perMessageDeflate: true,
  }),
  'compression that is off by null': answer(extensions('permessage-deflate'), {
    perMessageDeflate: null as never,
  }),
  'compression by the second offer': answer(
    extensions('permessage-deflate; server_max_window_bits=9, permessage-deflate'),
    { perMessageDeflate: { serverMaxWindowBits: 10, serverNoContextTakeover: true } },
  ),
  'a listener for wsClientError hears of extensions': answer(
    extensions('a;;='),
    { perMessageDeflate: true },
    (server, notes) => {
      server.on('wsClientError', (error, socket) => {
        notes.push(show(error));
        socket.end('HTTP/1.1 418 Teapot\r\n\r\n');
      });
    },
  ),
  'verifyClient with three parameters answers by what it returns': answer(request(), {
    verifyClient: ((_info: unknown, _second: unknown, _third: unknown) => false) as never,
  }),
  'verifyClient with a second parameter that may be left out does, too': answer(request(), {
    verifyClient: ((_info: unknown, callback: unknown = true) => callback !== true) as never,
  }),
  'verifyClient calls back with nothing but no': answer(request(), {
    verifyClient: (_info, callback) => callback(false, null as never, null as never, null as never),
  }),
  'verifyClient calls back with a body of several lines': answer(request(), {
    verifyClient: (_info, callback) => callback(false, 403, 'No.\r\nSet-Cookie: a=b\n'),
  }),
  'verifyClient calls back with a body in UTF-8': answer(request(), {
    verifyClient: (_info, callback) => callback(false, 403, 'Nö €'),
  }),
  'what verifyClient is told': answer(
    request({ Origin: 'https://a.example' }),
    {},
    (server, notes) => {
      server.options.verifyClient = (info: object) => {
        notes.push(Object.keys(info), { ...info, req: null });
        return true;
      };
    },
  ),
  'what verifyClient is told of version 8': answer(
    request({
      'Sec-WebSocket-Version': '8',
      Origin: 'https://a.example',
      'Sec-WebSocket-Origin': 'https://b.example',
    }),
    {},
    (server, notes) => {
      server.options.verifyClient = (info: { origin: string }) => {
        notes.push(info.origin);
        return true;
      };
    },
  ),
  'verifyClient calls back with yes': answer(request(), {
    verifyClient: (_info, callback) => setImmediate(callback, true),
  }),
  'verifyClient calls back with no': answer(request(), {
    verifyClient: (_info, callback) => callback(false),
  }),
  'verifyClient calls back with a status': answer(request(), {
    verifyClient: (_info, callback) => setImmediate(callback, false, 404),
  }),
  'verifyClient calls back with everything': answer(request(), {
    verifyClient: (_info, callback) =>
      callback(false, 503, 'Come back later', { 'Retry-After': 120, 'X-Reason': 'load' }),
  }),
  'headers listeners': answer(request(offer), {}, (server, notes) => {
    server.on('headers', (headers, { url }) => {
      notes.push([...headers], url);
      headers.push('Set-Cookie: a=1', 'Set-Cookie: b=2');
    });
  }),
  'a listener for wsClientError': answer(request({ Upgrade: 'h2c' }), {}, (server, notes) => {
    server.on('wsClientError', (error, socket, { url }) => {
      notes.push(show(error), url);
      socket.end('HTTP/1.1 418 Teapot\r\n\r\n');
    });
  }),
  'no wsClientError for shouldHandle': answer(request(), { path: '/other' }, (server, notes) => {
    server.on('wsClientError', () => notes.push('wsClientError'));
  }),
  'no wsClientError for verifyClient': answer(
    request(),
    { verifyClient: () => false },
    (server, notes) => {
      server.on('wsClientError', () => notes.push('wsClientError'));
    },
  ),
  'header names of Object.prototype': answer(
    request({ constructor: 'a', toString: 'b', hasOwnProperty: 'c', __proto__: null }),
  ),
  'subprotocols named as Object.prototype has it': answer(
    request({ 'Sec-WebSocket-Protocol': 'constructor, __proto__, toString' }),
  ),
  'an extension nobody knows': answer(
    request({ 'Sec-WebSocket-Extensions': 'x-unknown; a=1, constructor; __proto__' }),
  ),
  ...Object.fromEntries(
    Object.entries<[Record<string, string>, Options]>({
      'the path before subprotocols': [{ 'Sec-WebSocket-Protocol': ',' }, { path: '/other' }],
      'subprotocols before extensions': [
        { 'Sec-WebSocket-Protocol': ',', 'Sec-WebSocket-Extensions': ';' },
        { perMessageDeflate: true },
      ],
      'extensions before verifyClient': [
        { 'Sec-WebSocket-Extensions': ';' },
        { perMessageDeflate: true, verifyClient: () => false },
      ],
      'verifyClient before handleProtocols': [
        { 'Sec-WebSocket-Protocol': 'a' },
        {
          verifyClient: () => false,
          handleProtocols: () => {
            throw new Error('Nobody should ask');
          },
        },
      ],
    }).map(([name, [headers, options]]) => [
      `what is looked at first: ${name}`,
      answer(request(headers), options),
    ]),
  ),
  'what is looked at first: verifyClient, before whether the server is closed': answer(
    request(),
    {},
    (server) => {
      server.options.verifyClient = (_info: unknown, callback: (verdict: boolean) => void) => {
        server.close();
        callback(false);
      };
    },
  ),
  'a server that closes while verifyClient decides': answer(request(), {}, (server) => {
    server.options.verifyClient = (_info: unknown, callback: (verdict: boolean) => void) => {
      server.close();
      callback(true);
    };
  }),
  'when a WebSocket opens, and for whom': async (library) => {
    const notes: unknown[] = [];
    // The class that is extended is the library's own, by the types of `ws`.
    const { options } = new library.WebSocketServer({ noServer: true });
    const { WebSocket: Base } = options as unknown as { WebSocket: typeof WebSocket };
    class Noted extends Base {
      constructor(...args: [null]) {
        super(...args);
        this.on('open', () => notes.push(['open', this.readyState]));
      }
    }
    const server = await listen(library, { WebSocket: Noted as never });
    server.on('headers', () => notes.push(['headers', server.clients.size]));
    server.on('connection', (socket, { url }) => {
      notes.push(['connection', server.clients.has(socket), socket instanceof Noted, url]);
    });
    const client = await RawClient.open(portOf(server));
    await dispose({ server, client });
    return notes;
  },
  'what handleUpgrade says to a second call': async (library) => {
    const server = await listen(library);
    const notes: unknown[] = [];
    server.on('connection', (_socket, incoming) => {
      const call = () =>
        server.handleUpgrade(incoming, incoming.socket, Buffer.alloc(0), () => notes.push('again'));
      notes.push(outcome(call));
    });
    const client = await RawClient.open(portOf(server));
    await dispose({ server, client });
    return notes;
  },
};

const plain = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/** What `ws` lets pass and RFC 6455 4.2.1, RFC 9110 or plain caution does not. */
export const handshakeDifferences: Differences = {
  'HTTP/1.0 (RFC 6455 4.2.1)': {
    run: answer(request({}, 'GET / HTTP/1.0')),
    ws: accepted(),
    upwire: refused('400 Bad Request', 'Invalid HTTP version'),
  },
  'no Host (RFC 6455 4.2.1)': {
    run: answer(request({ Host: null })),
    ws: accepted(),
    upwire: refused('400 Bad Request', 'Missing or invalid Host header'),
  },
  'a list that contains websocket in Upgrade (RFC 6455 4.2.1)': {
    run: answer(request({ Upgrade: 'h2c, websocket' })),
    ws: refused('400 Bad Request', 'Invalid Upgrade header'),
    upwire: accepted(),
  },
  'websocket twice in Upgrade (RFC 6455 4.2.1)': {
    run: answer(request().replace('\r\n\r\n', '\r\nUpgrade: websocket\r\n\r\n')),
    ws: refused('400 Bad Request', 'Invalid Upgrade header'),
    upwire: accepted(),
  },
  'two Hosts (RFC 9112 3.2)': {
    run: answer(request().replace('\r\n\r\n', '\r\nHost: b\r\n\r\n')),
    ws: accepted(),
    upwire: refused('400 Bad Request', 'Missing or invalid Host header'),
  },
  'a Host that is none (RFC 9112 3.2)': {
    run: answer(request({ Host: 'a b' })),
    ws: accepted(),
    upwire: refused('400 Bad Request', 'Missing or invalid Host header'),
  },
  'a body, whose bytes would be taken for frames (RFC 9110 9.3.1)': {
    run: answer(request({ 'Content-Length': '2' })),
    ws: accepted(),
    upwire: refused('400 Bad Request', 'Unexpected request body'),
  },
  'a body in chunks (RFC 9110 9.3.1)': {
    run: answer(request({ 'Transfer-Encoding': 'chunked' })),
    ws: accepted(),
    upwire: refused('400 Bad Request', 'Unexpected request body'),
  },
  ...Object.fromEntries(
    [
      'permessage-deflate; foo=1',
      'permessage-deflate; server_max_window_bits=010',
      'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    ].map((value) => [
      `an offer that is declined (RFC 7692 7.1): ${value}`,
      {
        run: answer(extensions(value), { perMessageDeflate: true }),
        ws: value.includes('010')
          ? accepted('Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10')
          : refused('400 Bad Request', 'Invalid or unacceptable Sec-WebSocket-Extensions header'),
        upwire: accepted(),
      },
    ]),
  ),
  'extensions that cannot be read, without compression (RFC 6455 9.1)': {
    run: answer(extensions('a;;=')),
    ws: accepted(),
    upwire: refused('400 Bad Request', 'Invalid or unacceptable Sec-WebSocket-Extensions header'),
  },
  'an offer that is malformed does not spoil the next (RFC 7692 7.1)': {
    run: answer(extensions('permessage-deflate; foo=1, permessage-deflate'), {
      perMessageDeflate: true,
    }),
    ws: refused('400 Bad Request', 'Invalid or unacceptable Sec-WebSocket-Extensions header'),
    upwire: accepted('Sec-WebSocket-Extensions: permessage-deflate'),
  },
  'an offer that cannot be met (RFC 7692 7.1)': {
    run: answer(extensions('permessage-deflate; server_max_window_bits=9'), {
      perMessageDeflate: { serverMaxWindowBits: 10 },
    }),
    ws: refused('400 Bad Request', 'Invalid or unacceptable Sec-WebSocket-Extensions header'),
    upwire: accepted(),
  },
  'a promise of verifyClient, which ws takes for a yes': {
    run: answer(request(), { verifyClient: (async () => false) as never }),
    ws: accepted(),
    upwire: refused('401 Unauthorized', 'Unauthorized'),
  },
  'a status code without a name': {
    run: answer(request(), { verifyClient: (_info, callback) => callback(false, 499, 'No') }),
    ws: refused('499 undefined', 'No'),
    upwire: refused('499 unknown', 'No'),
  },
  'a body that may be markup is sent as plain text': {
    run: answer(request(), { verifyClient: (_info, callback) => callback(false, 400, '<b>') }),
    ws: refused('400 Bad Request', '<b>'),
    upwire: {
      ...refused('400 Bad Request', '<b>'),
      head: refused('400 Bad Request', '<b>').head.replace(
        'text/html',
        'text/plain; charset=utf-8',
      ),
    },
  },
  'a status line that a headers listener changes': {
    run: answer(request(), {}, (server) => {
      server.on('headers', (headers) => headers.splice(0, 1, 'HTTP/1.1 101 Fine'));
    }),
    ws: { ...accepted(), head: accepted().head.replace('Switching Protocols', 'Fine') },
    upwire: accepted(),
  },
  'a header in latin1, as Node writes its own': {
    run: answer(request(), {}, (server) => {
      server.on('headers', (headers) => headers.push('X-Name: ü'));
    }),
    // The test reads latin1.
    ws: accepted('X-Name: Ã¼'),
    upwire: accepted('X-Name: ü'),
  },
  'a version that is a number in another notation (RFC 6455 4.2.1)': {
    run: answer(request({ 'Sec-WebSocket-Version': '0xd' })),
    ws: accepted(),
    upwire: refused(
      '400 Bad Request',
      'Missing or invalid Sec-WebSocket-Version header',
      'Sec-WebSocket-Version: 13, 8',
    ),
  },
  'a subprotocol that was not offered (RFC 6455 4.2.2)': {
    run: answer(request(offer), { handleProtocols: () => 'other' }, (server, notes) => {
      server.on('error', (error) => notes.push(show(error)));
    }),
    ws: accepted('Sec-WebSocket-Protocol: other'),
    upwire: {
      ...refused('500 Internal Server Error', 'Internal Server Error'),
      notes: [
        `TypeError: The option "handleProtocols" answered 'other', which the client did not offer (RFC 6455 4.2.2)`,
      ],
    },
  },
  'a line break in what handleProtocols answers': {
    run: answer(request(offer), { handleProtocols: () => 'chat\r\nX-Evil: 1' }, (server, notes) => {
      server.on('error', (error) => notes.push(show(error)));
    }),
    ws: accepted('Sec-WebSocket-Protocol: chat', 'X-Evil: 1'),
    upwire: {
      ...refused('500 Internal Server Error', 'Internal Server Error'),
      notes: [
        `TypeError: The option "handleProtocols" answered 'chat\\r\\nX-Evil: 1', which the client did not offer (RFC 6455 4.2.2)`,
      ],
    },
  },
  'a line break in what a headers listener adds': {
    run: answer(request(), {}, (server, notes) => {
      server.on('error', (error) => notes.push(show(error)));
      server.on('headers', (headers) => headers.push('X-Name: a\r\nX-Evil: 1'));
    }),
    ws: accepted('X-Name: a', 'X-Evil: 1'),
    upwire: {
      ...refused('500 Internal Server Error', 'Internal Server Error'),
      notes: [
        `TypeError: A "headers" listener left 'X-Name: a\\r\\nX-Evil: 1', which is no header line`,
      ],
    },
  },
  'a line break in a header of verifyClient': {
    run: answer(
      request(),
      {
        verifyClient: (_info, callback) => callback(false, 401, 'No', { 'X-A': 'a\r\nX-Evil: 1' }),
      },
      (server, notes) => {
        server.on('error', (error) => notes.push(show(error)));
      },
    ),
    ws: refused('401 Unauthorized', 'No', 'X-A: a', 'X-Evil: 1'),
    upwire: {
      ...refused('500 Internal Server Error', 'Internal Server Error'),
      notes: [
        `TypeError: The option "verifyClient" refused with the header 'X-A': 'a\\r\\nX-Evil: 1', which cannot be sent`,
      ],
    },
  },
  'a plain request (RFC 9110 15.5.22)': {
    run: answer(plain),
    ws: {
      head: 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 16\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n',
      body: 'Upgrade Required',
      notes: [],
    },
    upwire: {
      head: 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 16\r\nContent-Type: text/plain\r\nUpgrade: websocket\r\nConnection: close, Upgrade\r\n\r\n',
      body: 'Upgrade Required',
      notes: [],
    },
  },
};
