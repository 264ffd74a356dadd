import type { ExtensionOffer, HandshakeOffer } from '../../src/handshake/client';
import { checkResponse, checkSubprotocols, requestHeaders } from '../../src/handshake/client';
import { HandshakeError } from '../../src/handshake/error';
import type { ExtensionParameters } from '../../src/handshake/extensions';

const NO_EXTENSION: ExtensionOffer<never> = {
  offer: undefined,
  accept: () => {
    throw new Error('Nothing was offered');
  },
};

/** An extension that takes `level=1` to `level=9`. */
const LEVEL: ExtensionOffer<string> = {
  offer: 'x-level; level=3',
  accept: ([{ level }]) => {
    if (level?.length !== 1 || !/^[1-9]$/.test(String(level[0]))) throw new RangeError('No level');
    return `level ${level[0]}`;
  },
};

/** The key and its answer in RFC 6455 1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

function offer(parts: Partial<HandshakeOffer<string>> = {}): HandshakeOffer<string> {
  return {
    key: KEY,
    version: 13,
    subprotocols: new Set(),
    extension: NO_EXTENSION,
    origin: undefined,
    ...parts,
  };
}

describe('the subprotocols to ask for', () => {
  test('are kept in order', () => {
    expect([...checkSubprotocols(['b', 'a', 'graphql-transport-ws', "!#$%&'*+-.^_`|~"])]).toEqual([
      'b',
      'a',
      'graphql-transport-ws',
      "!#$%&'*+-.^_`|~",
    ]);
    expect(checkSubprotocols([]).size).toBe(0);
  });

  test.each<[string, unknown[]]>([
    ['twice the same', ['a', 'a']],
    ['an empty name', ['']],
    ['a list in a name', ['a,b']],
    ['a space', ['a b']],
    ['a line end', ['a\r\nX: y']],
    ['a name outside ASCII', ['ä']],
    ['a number', [5]],
    ['null', [null]],
    ['a list', [['a']]],
  ])('%s is refused', (_name, names) => {
    expect(() => checkSubprotocols(names)).toThrow(
      new SyntaxError('An invalid or duplicated subprotocol was specified'),
    );
  });
});

describe('the headers of a request', () => {
  test('are those of the handshake alone', () => {
    expect(requestHeaders(offer())).toEqual([
      ['Sec-WebSocket-Version', '13'],
      ['Sec-WebSocket-Key', KEY],
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
    ]);
  });

  test('name what is offered', () => {
    const everything = offer({
      subprotocols: new Set(['b', 'a']),
      extension: LEVEL,
      origin: 'https://example.com',
    });
    expect(requestHeaders(everything).slice(4)).toEqual([
      ['Sec-WebSocket-Extensions', 'x-level; level=3'],
      ['Sec-WebSocket-Protocol', 'b,a'],
      ['Origin', 'https://example.com'],
    ]);
  });

  test('have the origin under another name in version 8', () => {
    const headers = requestHeaders(offer({ version: 8, origin: 'https://example.com' }));
    expect(headers[0]).toEqual(['Sec-WebSocket-Version', '8']);
    expect(headers.at(-1)).toEqual(['Sec-WebSocket-Origin', 'https://example.com']);
  });

  test.each([0, 7, 14, Number.NaN])('there are none in version %p', (version) => {
    expect(() => requestHeaders(offer({ version }))).toThrow(
      new RangeError(`Unsupported protocol version: ${version} (supported versions: 8, 13)`),
    );
  });
});

function response(headers: Record<string, string | undefined> = {}) {
  const all = { upgrade: 'websocket', 'sec-websocket-accept': ACCEPT, ...headers };
  return {
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
  };
}

describe('a response that is right', () => {
  test('gives nothing where nothing was asked for', () => {
    expect(checkResponse(response(), offer())).toEqual({ subprotocol: '', extension: undefined });
  });

  test.each(['WebSocket', 'WEBSOCKET'])('may say %s', (upgrade) => {
    expect(checkResponse(response({ upgrade }), offer()).subprotocol).toBe('');
  });

  test('chooses a subprotocol', () => {
    const { subprotocol } = checkResponse(
      response({ 'sec-websocket-protocol': 'a' }),
      offer({ subprotocols: new Set(['b', 'a']) }),
    );
    expect(subprotocol).toBe('a');
  });

  test('agrees on the extension', () => {
    const answer = response({ 'sec-websocket-extensions': 'x-level; level=2' });
    expect(checkResponse(answer, offer({ extension: LEVEL })).extension).toBe('level 2');
  });

  test('may leave the extension out', () => {
    expect(checkResponse(response(), offer({ extension: LEVEL })).extension).toBeUndefined();
  });

  test('hands over what the extension is told, once', () => {
    const told: (readonly ExtensionParameters[])[] = [];
    const extension = {
      offer: 'x-a, x-b; c',
      accept: (answers: readonly ExtensionParameters[]) => {
        told.push(answers);
        return 'agreed';
      },
    };
    const answer = response({ 'sec-websocket-extensions': 'x-b; c; d="1"; c=2' });
    expect(checkResponse(answer, offer({ extension })).extension).toBe('agreed');
    expect(told).toEqual([[Object.assign(Object.create(null), { c: [true, '2'], d: ['1'] })]]);
  });

  test('counts by its lines, of which Node may not show the last in `headers`', () => {
    const rawHeaders = [
      ...Array.from({ length: 2000 }, (_, index) => [`X-${index}`, 'y']).flat(),
      ...['Upgrade', 'websocket', 'Sec-WebSocket-Accept', ACCEPT, 'Sec-WebSocket-Protocol', 'a'],
    ];
    const answer = { headers: {}, rawHeaders };
    expect(checkResponse(answer, offer({ subprotocols: new Set(['a']) })).subprotocol).toBe('a');
    expect(() => checkResponse(answer, offer())).toThrow(
      'Server sent a subprotocol but none was requested',
    );
  });
});

describe('a response that is wrong', () => {
  const UPGRADE = 'Invalid Upgrade header';
  const ACCEPT_TEXT = 'Invalid Sec-WebSocket-Accept header';
  const EXTENSIONS = 'Invalid Sec-WebSocket-Extensions header';
  const NO_SUBPROTOCOL = 'Server sent no subprotocol';
  const WRONG_SUBPROTOCOL = 'Server sent an invalid subprotocol';
  const NOT_REQUESTED = 'Server indicated an extension that was not requested';
  const a = new Set(['a']);

  test.each<[string, Record<string, string | undefined>, Partial<HandshakeOffer<string>>, string]>([
    ['no upgrade', { upgrade: undefined }, {}, UPGRADE],
    ['another upgrade', { upgrade: 'h2c' }, {}, UPGRADE],
    ['two upgrades', { upgrade: 'websocket, h2c' }, {}, UPGRADE],
    ['no accept', { 'sec-websocket-accept': undefined }, {}, ACCEPT_TEXT],
    ['an empty accept', { 'sec-websocket-accept': '' }, {}, ACCEPT_TEXT],
    ['the key as accept', { 'sec-websocket-accept': KEY }, {}, ACCEPT_TEXT],
    [
      'an accept in another case',
      { 'sec-websocket-accept': ACCEPT.toLowerCase() },
      {},
      ACCEPT_TEXT,
    ],
    ['two accepts', { 'sec-websocket-accept': `${ACCEPT}, ${ACCEPT}` }, {}, ACCEPT_TEXT],
    ['no subprotocol', {}, { subprotocols: a }, NO_SUBPROTOCOL],
    [
      'a subprotocol out of nowhere',
      { 'sec-websocket-protocol': 'a' },
      {},
      'Server sent a subprotocol but none was requested',
    ],
    [
      'an empty subprotocol out of nowhere',
      { 'sec-websocket-protocol': '' },
      {},
      'Server sent a subprotocol but none was requested',
    ],
    [
      'another subprotocol',
      { 'sec-websocket-protocol': 'b' },
      { subprotocols: a },
      WRONG_SUBPROTOCOL,
    ],
    ['another case', { 'sec-websocket-protocol': 'A' }, { subprotocols: a }, WRONG_SUBPROTOCOL],
    [
      'two subprotocols',
      { 'sec-websocket-protocol': 'a, a' },
      { subprotocols: a },
      WRONG_SUBPROTOCOL,
    ],
    [
      'an empty subprotocol',
      { 'sec-websocket-protocol': '' },
      { subprotocols: a },
      WRONG_SUBPROTOCOL,
    ],
    [
      'an extension out of nowhere',
      { 'sec-websocket-extensions': 'x-level; level=2' },
      {},
      'Server sent a Sec-WebSocket-Extensions header but no extension was requested',
    ],
    [
      'unreadable extensions',
      { 'sec-websocket-extensions': 'x-level;' },
      { extension: LEVEL },
      EXTENSIONS,
    ],
    ['empty extensions', { 'sec-websocket-extensions': '' }, { extension: LEVEL }, EXTENSIONS],
    [
      'another extension',
      { 'sec-websocket-extensions': 'x-other' },
      { extension: LEVEL },
      NOT_REQUESTED,
    ],
    [
      '__proto__ as extension',
      { 'sec-websocket-extensions': '__proto__' },
      { extension: LEVEL },
      NOT_REQUESTED,
    ],
    [
      'constructor as extension',
      { 'sec-websocket-extensions': 'constructor' },
      { extension: LEVEL },
      NOT_REQUESTED,
    ],
    [
      'one extension more',
      { 'sec-websocket-extensions': 'x-level; level=2, x-other' },
      { extension: LEVEL },
      NOT_REQUESTED,
    ],
    // RFC 6455 4.1 and 7692 5.1, where `ws` takes the first and forgets the second.
    [
      'the extension twice',
      { 'sec-websocket-extensions': 'x-level; level=2, x-level; level=2' },
      { extension: LEVEL },
      EXTENSIONS,
    ],
    [
      'parameters that were not agreed on',
      { 'sec-websocket-extensions': 'x-level; level=10' },
      { extension: LEVEL },
      EXTENSIONS,
    ],
  ])('has %s', (_name, headers, parts, message) => {
    const check = () => checkResponse(response(headers), offer(parts));
    expect(check).toThrow(HandshakeError);
    expect(check).toThrow(
      expect.objectContaining({
        message,
        name: 'Error',
        code: 'WS_ERR_INVALID_HANDSHAKE',
        clause: expect.stringMatching(/^RFC 6455 /),
      }),
    );
  });

  test('is told by its first fault', () => {
    const wrong = {
      upgrade: 'x',
      'sec-websocket-accept': 'x',
      'sec-websocket-protocol': 'x',
      'sec-websocket-extensions': ';',
    };
    const parts = { subprotocols: a, extension: LEVEL };
    const texts = [
      ['upgrade', 'websocket', UPGRADE],
      ['sec-websocket-accept', ACCEPT, ACCEPT_TEXT],
      ['sec-websocket-protocol', 'a', WRONG_SUBPROTOCOL],
      ['sec-websocket-extensions', 'x-other', EXTENSIONS],
    ];
    let headers: Record<string, string> = wrong;
    for (const [name, right, message] of texts) {
      expect(() => checkResponse(response(headers), offer(parts))).toThrow(message);
      headers = { ...headers, [name]: right };
    }
  });

  test('keeps the reason of the extension', () => {
    const answer = response({ 'sec-websocket-extensions': 'x-level; level=10' });
    expect(() => checkResponse(answer, offer({ extension: LEVEL }))).toThrow(
      expect.objectContaining({ cause: new RangeError('No level') }),
    );
  });
});
