import ws from 'ws';
import {
  acceptOffers,
  checkAgreement,
  createOffer,
  formatParameters,
} from '../../src/deflate/negotiate';
import type { PerMessageDeflateOptions } from '../../src/deflate/options';
import { resolveDeflateOptions } from '../../src/deflate/options';
import type { ExtensionParameters } from '../../src/handshake/extensions';
import { parseExtensions } from '../../src/handshake/extensions';

const NAME = 'permessage-deflate';

interface ReferenceDeflate {
  offer(): object;
  accept(configurations: object[]): object;
}

// `@types/ws` does not know these.
const reference = ws as unknown as {
  PerMessageDeflate: new (options: object) => ReferenceDeflate;
  extension: { parse(header: string): Record<string, object[]>; format(offers: object): string };
};

/** The parameters of the header `permessage-deflate; <text>`. */
function read(text: string): ExtensionParameters[] {
  return parseExtensions(header(text))[NAME];
}

function header(text: string): string {
  return text === '' ? NAME : `${NAME}; ${text}`;
}

/** What a server answers, without the name; `null` for nothing. */
function answer(offers: string, options: PerMessageDeflateOptions = {}): string | null {
  const agreement = acceptOffers(read(offers), resolveDeflateOptions(options));
  return agreement === null ? null : formatParameters(agreement.parameters).slice(NAME.length);
}

describe('acceptOffers', () => {
  test.each([
    ['server_no_context_takeover', {}, '; server_no_context_takeover'],
    ['client_no_context_takeover', {}, '; client_no_context_takeover'],
    ['client_max_window_bits', {}, ''],
    ['client_max_window_bits=10', {}, '; client_max_window_bits=10'],
    ['client_max_window_bits="10"', {}, '; client_max_window_bits=10'],
    ['server_max_window_bits=8', {}, '; server_max_window_bits=8'],
    ['', { serverNoContextTakeover: true }, '; server_no_context_takeover'],
    ['', { clientNoContextTakeover: true }, '; client_no_context_takeover'],
    ['', { serverMaxWindowBits: 9 }, '; server_max_window_bits=9'],
    ['server_max_window_bits=12', { serverMaxWindowBits: 9 }, '; server_max_window_bits=9'],
    ['server_max_window_bits=12', { serverMaxWindowBits: true }, '; server_max_window_bits=12'],
    ['client_max_window_bits', { clientMaxWindowBits: 9 }, '; client_max_window_bits=9'],
    ['client_max_window_bits=12', { clientMaxWindowBits: false }, ''],
    [
      'client_max_window_bits; server_no_context_takeover',
      { clientNoContextTakeover: true, serverMaxWindowBits: 10, clientMaxWindowBits: 11 },
      '; client_max_window_bits=11; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10',
    ],
  ])('%j to a server with %j is answered %j', (offer, options, expected) => {
    expect(answer(offer, options)).toBe(expected);
  });

  test.each([
    ['server_no_context_takeover', { serverNoContextTakeover: false }],
    ['server_max_window_bits=10', { serverMaxWindowBits: 11 }],
    ['server_max_window_bits=10', { serverMaxWindowBits: false }],
    ['', { clientMaxWindowBits: 10 }],
    ['client_max_window_bits=9', { clientMaxWindowBits: 10 }],
  ])('%j cannot be met by a server with %j', (offer, options) => {
    expect(answer(offer, options)).toBeNull();
    const offers = [...read(offer), ...read('client_max_window_bits')];
    expect(acceptOffers(offers, resolveDeflateOptions(options))).not.toBeNull();
  });

  const malformed = [
    'foo',
    'foo=1',
    'x-webkit-deflate-frame',
    '__proto__',
    'constructor=1',
    'Server_No_Context_Takeover',
    'server_no_context_takeover=true',
    'server_no_context_takeover=1',
    'client_no_context_takeover=0',
    'server_no_context_takeover; server_no_context_takeover',
    'client_max_window_bits; client_max_window_bits',
    'client_max_window_bits=10; client_max_window_bits=10',
    'server_max_window_bits',
    ...[
      '-1',
      '0',
      '7',
      '16',
      '1e1',
      '010',
      '08',
      '0xa',
      '0b1010',
      '+10',
      '10.0',
      '1',
      '100',
      'ten',
      '15a',
      '9007199254740993',
    ].flatMap((value) => [`server_max_window_bits=${value}`, `client_max_window_bits=${value}`]),
  ];

  test.each(malformed)('%j is declined, and the next offer looked at (RFC 7692 7.1)', (offer) => {
    expect(answer(offer)).toBeNull();
    expect(answer(`${offer}, ${NAME}; server_max_window_bits=9`)).toBe(
      '; server_max_window_bits=9',
    );
    expect(answer(`server_max_window_bits=9, ${NAME}; ${offer}`)).toBe(
      '; server_max_window_bits=9',
    );
  });

  test('there may be no offer', () => {
    expect(acceptOffers([], resolveDeflateOptions())).toBeNull();
  });

  test('what both sides use', () => {
    const options = resolveDeflateOptions({
      serverMaxWindowBits: 9,
      clientNoContextTakeover: true,
    });
    expect(acceptOffers(read('client_max_window_bits=12'), options)).toEqual({
      serverNoContextTakeover: false,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 9,
      clientMaxWindowBits: 12,
      parameters: {
        client_max_window_bits: 12,
        client_no_context_takeover: true,
        server_max_window_bits: 9,
      },
    });
    // Nothing holds the client to what it has only said that it can.
    expect(acceptOffers(read('client_max_window_bits'), options)?.clientMaxWindowBits).toBe(15);
  });

  test('decides and writes as ws does, for offers that can be read', () => {
    const flags = [undefined, true, false];
    const offers = ['', 'server_no_context_takeover', 'client_no_context_takeover'].flatMap(
      (flag) =>
        ['', 'server_max_window_bits=8', 'server_max_window_bits=12'].flatMap((server) =>
          ['', 'client_max_window_bits', 'client_max_window_bits=10'].flatMap((client) => {
            const parts = [client, flag, server].filter((part) => part !== '');
            return [parts.join('; '), parts.reverse().join('; ')];
          }),
        ),
    );
    const windows = [undefined, false, 8, 10, 15] as const;
    const differences: object[] = [];
    for (const serverNoContextTakeover of flags) {
      for (const clientNoContextTakeover of flags) {
        for (const serverMaxWindowBits of windows) {
          for (const clientMaxWindowBits of windows) {
            const options = {
              serverNoContextTakeover,
              clientNoContextTakeover,
              serverMaxWindowBits,
              clientMaxWindowBits,
            };
            for (const offer of offers) {
              const [own, theirs] = [answer(offer, options), answerOfReference(offer, options)];
              if (own !== theirs) differences.push({ options, offer, own, theirs });
            }
          }
        }
      }
    }
    expect(differences).toEqual([]);
    expect(offers).toHaveLength(54);
  });
});

function answerOfReference(offer: string, options: object): string | null {
  const deflate = new reference.PerMessageDeflate({ ...options, isServer: true });
  try {
    const accepted = deflate.accept(reference.extension.parse(header(offer))[NAME]);
    return reference.extension.format({ [NAME]: accepted }).slice(NAME.length);
  } catch {
    return null;
  }
}

describe('createOffer', () => {
  test.each([
    [{}, '; client_max_window_bits'],
    [{ clientMaxWindowBits: true }, '; client_max_window_bits'],
    [{ clientMaxWindowBits: false }, ''],
    [{ serverMaxWindowBits: true, clientMaxWindowBits: false }, ''],
    [
      { serverNoContextTakeover: false, clientNoContextTakeover: false },
      '; client_max_window_bits',
    ],
    [
      {
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
        serverMaxWindowBits: 10,
        clientMaxWindowBits: 11,
      },
      '; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11',
    ],
  ])('%j', (options, expected) => {
    const offer = createOffer(resolveDeflateOptions(options));
    expect(formatParameters(offer)).toBe(NAME + expected);
    if (!('serverMaxWindowBits' in options && options.serverMaxWindowBits === true)) {
      expect(offer).toEqual(new reference.PerMessageDeflate(options).offer());
    }
  });
});

describe('checkAgreement', () => {
  const check = (response: string, options: PerMessageDeflateOptions = {}) =>
    checkAgreement(read(response), resolveDeflateOptions(options));

  test.each([
    ['', {}, { serverMaxWindowBits: 15, clientMaxWindowBits: 15 }],
    // A server may limit itself unasked (RFC 7692 7.1.1.1, 7.1.2.1).
    ['server_no_context_takeover', {}, { serverNoContextTakeover: true }],
    ['server_max_window_bits=8', {}, { serverMaxWindowBits: 8 }],
    ['client_no_context_takeover', {}, { clientNoContextTakeover: true }],
    ['client_max_window_bits=9', {}, { clientMaxWindowBits: 9 }],
    ['client_max_window_bits=9', { clientMaxWindowBits: 9 }, { clientMaxWindowBits: 9 }],
    ['client_max_window_bits=8', { clientMaxWindowBits: 9 }, { clientMaxWindowBits: 8 }],
    // What it has announced, the client does.
    ['', { clientMaxWindowBits: 9 }, { clientMaxWindowBits: 9 }],
    ['', { clientNoContextTakeover: true }, { clientNoContextTakeover: true }],
    ['server_max_window_bits=9', { serverMaxWindowBits: 10 }, { serverMaxWindowBits: 9 }],
    [
      'server_no_context_takeover; server_max_window_bits=10',
      { serverNoContextTakeover: true, serverMaxWindowBits: 10 },
      { serverNoContextTakeover: true, serverMaxWindowBits: 10 },
    ],
  ])('%j to a client with %j', (response, options, expected) => {
    expect(check(response, options)).toMatchObject(expected);
  });

  test.each<[string, PerMessageDeflateOptions, string]>([
    ['', { serverNoContextTakeover: true }, 'Missing parameter "server_no_context_takeover"'],
    ['', { serverMaxWindowBits: 10 }, 'Missing parameter "server_max_window_bits"'],
    [
      'server_max_window_bits=15',
      { serverMaxWindowBits: 10 },
      'Invalid value for parameter "server_max_window_bits": 15',
    ],
    [
      'client_no_context_takeover',
      { clientNoContextTakeover: false },
      'Unexpected parameter "client_no_context_takeover"',
    ],
    [
      'client_max_window_bits=10',
      { clientMaxWindowBits: false },
      'Unexpected or invalid parameter "client_max_window_bits"',
    ],
    [
      'client_max_window_bits=10',
      { clientMaxWindowBits: 9 },
      'Unexpected or invalid parameter "client_max_window_bits"',
    ],
    ['client_max_window_bits', {}, 'Invalid value for parameter "client_max_window_bits": true'],
    ['foo=1', {}, 'Unknown parameter "foo"'],
    ['__proto__', {}, 'Unknown parameter "__proto__"'],
    [
      'server_no_context_takeover; server_no_context_takeover',
      {},
      'Parameter "server_no_context_takeover" must have only a single value',
    ],
    ...['-1', '0', '7', '16', '1e1', '010', '0xa'].map(
      (value): [string, PerMessageDeflateOptions, string] => [
        `server_max_window_bits=${value}`,
        {},
        `Invalid value for parameter "server_max_window_bits": ${value}`,
      ],
    ),
  ])('%j to a client with %j fails', (response, options, message) => {
    expect(() => check(response, options)).toThrow(message);
  });

  test.each(['none', `two, ${NAME}`])('%s', (which) => {
    const responses = which === 'none' ? [] : [...read(''), ...read('')];
    expect(() => checkAgreement(responses, resolveDeflateOptions())).toThrow(
      'The extension "permessage-deflate" must be accepted exactly once',
    );
  });

  test('what a server of ours answers, a client of ours takes', () => {
    const windows = [undefined, false, 8, 12, 15] as const;
    for (const serverMaxWindowBits of windows) {
      for (const clientMaxWindowBits of windows) {
        for (const serverNoContextTakeover of [undefined, true, false]) {
          const options = resolveDeflateOptions({
            serverMaxWindowBits,
            clientMaxWindowBits,
            serverNoContextTakeover,
          });
          const offer = formatParameters(createOffer(options));
          const server = acceptOffers(parseExtensions(offer)[NAME], resolveDeflateOptions());
          const response = formatParameters(server?.parameters ?? {});
          const client = checkAgreement(parseExtensions(response)[NAME], options);
          expect(client.serverMaxWindowBits).toBe(server?.serverMaxWindowBits);
          expect(client.serverNoContextTakeover).toBe(server?.serverNoContextTakeover);
          expect(client.clientMaxWindowBits).toBe(server?.clientMaxWindowBits);
        }
      }
    }
  });
});
