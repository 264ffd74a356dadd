/** RFC 6455 3 and 4: addresses and the opening handshake. */
import type { Clause } from './clause';
import { clausesOf, elsewhere } from './clause';

export const opening: readonly Clause[] = clausesOf([
  [
    '3 fragment',
    'MUST',
    'client',
    'the address has no fragment',
    {
      elsewhere: [elsewhere('address.test.ts', 'The URL contains a fragment identifier')],
    },
  ],
  [
    '4.1 uri valid',
    'MUST',
    'client',
    'fails where a component of the address is not valid',
    {
      elsewhere: [elsewhere('address.test.ts', 'Invalid URL: ')],
    },
  ],
  [
    '4.1 one connecting',
    'MUST',
    'client',
    'has at most one connection to a remote that is CONNECTING; others wait',
    {
      elsewhere: [elsewhere('io/handshake-queue.test.ts', 'each waits for those before it')],
      note: 'A remote is a host and a port, and each waits for at most 10 s: a server that stalls does not hold up the others for ever.',
    },
  ],
  [
    '4.1 pending limit',
    'SHOULD',
    'client',
    'limits connections that are pending where the address is not known',
    {
      elsewhere: [
        elsewhere('client/proxy.test.ts', 'clients behind one proxy wait for each other'),
      ],
    },
  ],
  [
    '4.1 proxy',
    'SHOULD',
    'client',
    'connects by a proxy where it is told of one',
    {
      elsewhere: [elsewhere('client/proxy.test.ts', 'speaks %s: through it')],
    },
  ],
  [
    '4.1 not connected',
    'MUST',
    'client',
    'fails where no connection can be made',
    {
      elsewhere: [
        elsewhere('client/opening.test.ts', 'hears that nobody listens there'),
        elsewhere('client/proxy.test.ts', 'hears that the server is not there'),
      ],
    },
  ],
  [
    '4.1 tls',
    'MUST',
    'client',
    'does the TLS handshake first, fails where that fails, and sends everything through it',
    {
      elsewhere: [elsewhere('client/secure.test.ts', 'refuses a certificate that is %s')],
      note: 'The whole table is run over TLS, too.',
    },
  ],
  [
    '4.1 sni',
    'MUST',
    'client',
    'names the server in the TLS handshake (SNI)',
    {
      elsewhere: [elsewhere('client/secure.test.ts', '.servername).toBe(expected)')],
    },
  ],
  ['4.1 http', 'MUST', 'client', 'sends a valid HTTP request'],
  ['4.1 get', 'MUST', 'client', 'the method is GET, the version at least HTTP/1.1'],
  [
    '4.1 uri',
    'MUST',
    'client',
    'the request line has the resource name',
    {
      elsewhere: [elsewhere('client/request.test.ts', 'a request is the same as that of ws')],
    },
  ],
  ['4.1 host', 'MUST', 'client', 'Host has host and port'],
  ['4.1 upgrade', 'MUST', 'client', 'Upgrade is websocket'],
  ['4.1 connection', 'MUST', 'client', 'Connection has the token Upgrade'],
  [
    '4.1 key',
    'MUST',
    'client',
    'the key is a nonce of 16 bytes in base64, drawn anew for each connection',
    {
      elsewhere: [elsewhere('client/request.test.ts', 'each request has a key of its own')],
    },
  ],
  [
    '4.1 origin',
    'MUST',
    'client',
    'a browser sends Origin; others may',
    {
      note: 'We are no browser: there is an Origin where the application gives one.',
    },
  ],
  ['4.1 version', 'MUST', 'client', 'the version is 13'],
  [
    '4.1 subprotocols',
    'MUST',
    'client',
    'subprotocols are tokens, and each is there once',
    {
      elsewhere: [
        elsewhere('handshake/client.test.ts', 'An invalid or duplicated subprotocol was specified'),
      ],
    },
  ],
  ['4.1 extensions', 'MAY', 'client', 'offers extensions'],
  [
    '4.1 wait',
    'MUST',
    'client',
    'sends nothing before the response has come',
    {
      elsewhere: [elsewhere('client/opening.test.ts', 'sends nothing')],
    },
  ],
  [
    '4.1 validate',
    'MUST',
    'client',
    'judges the response by every rule for it, and fails where one is broken',
  ],
  [
    '4.1 status',
    'MUST',
    'client',
    'handles any status but 101 as HTTP has it',
    {
      elsewhere: [elsewhere('client/redirect.test.ts', 'Maximum redirects exceeded')],
    },
  ],
  ['4.1 upgrade answer', 'MUST', 'client', 'fails where Upgrade is missing or is not websocket'],
  [
    '4.1 connection answer',
    'MUST',
    'client',
    'fails where Connection is missing or has no token Upgrade',
  ],
  [
    '4.1 accept',
    'MUST',
    'client',
    'fails where Sec-WebSocket-Accept is missing or is not what the key asks for',
  ],
  [
    '4.1 extension answer',
    'MUST',
    'client',
    'fails where the response has an extension that was not asked for',
  ],
  [
    '4.1 subprotocol answer',
    'MUST',
    'client',
    'fails where the response has a subprotocol that was not asked for',
  ],
  ['4.1 names', 'MUST', 'both', 'header names are the same in any case'],
  [
    '4.2.1 description',
    'MUST',
    'server',
    'answers a handshake that is not as described with an HTTP error, and stops',
  ],
  ['4.2.1 get', 'MUST', 'server', 'demands HTTP/1.1 or higher and GET'],
  ['4.2.1 host', 'MUST', 'server', 'demands Host'],
  ['4.2.1 upgrade', 'MUST', 'server', 'demands Upgrade with websocket, in any case'],
  [
    '4.2.1 connection',
    'MUST',
    'server',
    'demands Connection with the token Upgrade, in any case',
    {
      note: "Node's HTTP parser reads it, which does not find a token with a tab behind it; the answer is then that of a plain request.",
    },
  ],
  ['4.2.1 key', 'MUST', 'server', 'demands a key of 16 bytes in base64'],
  [
    '4.2.1 version',
    'MUST',
    'server',
    'demands version 13',
    {
      note: '`WebSocketServer` speaks 8 too, as `ws` does: a draft with another name for Origin and the same frames.',
    },
  ],
  [
    '4.2.1 abnf',
    'MUST',
    'server',
    'refuses subprotocols and extensions that do not fit the grammar',
  ],
  ['4.2.1 other fields', 'MUST', 'server', 'ignores headers that it does not know'],
  [
    '4.2.2 tls',
    'MUST',
    'server',
    'sends everything through TLS on an HTTPS port',
    {
      note: 'TLS is that of `node:https`. The whole table is run over it.',
    },
  ],
  ['4.2.2 refuse', 'MUST', 'server', 'refuses with an HTTP error, and ends there'],
  [
    '4.2.2 version',
    'MUST',
    'server',
    'answers another version with an HTTP error and the versions that it speaks',
  ],
  [
    '4.2.2 resource',
    'MUST',
    'server',
    'answers with an HTTP error where the resource is not served',
  ],
  ['4.2.2 subprotocol', 'MUST', 'server', 'chooses a subprotocol of those that were offered'],
  ['4.2.2 no subprotocol', 'MUST', 'server', 'sends no header where it chooses none'],
  ['4.2.2 extensions', 'MUST', 'server', 'agrees to extensions of those that were offered'],
  [
    '4.2.2 reply',
    'MUST',
    'server',
    'accepts with 101, Upgrade, Connection and Sec-WebSocket-Accept',
  ],
  [
    '4.4 versions',
    'MUST',
    'server',
    'lists the versions that it speaks where it does not speak the one asked for',
  ],
]);
