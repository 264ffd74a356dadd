import { agreeAsServer, formatAgreement, offerAsClient } from '../../src/deflate/extension';
import type { Agreement } from '../../src/deflate/negotiate';
import type { PerMessageDeflateOptions } from '../../src/deflate/options';
import { resolveDeflateOptions } from '../../src/deflate/options';
import { INVALID_EXTENSIONS } from '../../src/handshake/accept';
import { parseExtensions } from '../../src/handshake/extensions';
import { deflate, expectBytes, inflate, NO_LIMITS, text } from '../support/deflate';

const NAME = 'permessage-deflate';

function agree(header: string | undefined, options: PerMessageDeflateOptions = {}) {
  const request = {
    method: 'GET',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    headers: header === undefined ? {} : { 'sec-websocket-extensions': header },
  };
  return agreeAsServer(request, resolveDeflateOptions(options));
}

/** What a client of these options makes of an answer. */
function accept(header: string, options?: PerMessageDeflateOptions) {
  const [answers] = Object.values(parseExtensions(header));
  return offerAsClient(options, NO_LIMITS).accept(answers);
}

describe('a server', () => {
  test.each([
    ['no offer', undefined],
    ['another extension', 'x-webkit-deflate-frame'],
    ['an offer that it cannot meet', `${NAME}; server_max_window_bits=7`],
  ])('agrees to nothing: %s', (_name, header) => {
    expect(agree(header)).toBeNull();
  });

  test.each(['', `${NAME};`, `${NAME}; a=`, `${NAME} b`, `${NAME}, `])(
    'refuses a header that cannot be read: %j',
    (header) => {
      expect(agree(header)).toBe(INVALID_EXTENSIONS);
    },
  );

  test('agrees to the first offer that it can meet, among others', () => {
    const agreement = agree(
      `x, ${NAME}; server_max_window_bits=99, ${NAME}; server_max_window_bits=10, ${NAME}`,
    ) as Agreement;
    expect(agreement).toMatchObject({ serverMaxWindowBits: 10, clientMaxWindowBits: 15 });
    expect(formatAgreement(agreement)).toBe(`${NAME}; server_max_window_bits=10`);
  });
});

describe('a client', () => {
  test.each([false, null])('offers nothing where the option is %j', (option) => {
    const { offer, accept } = offerAsClient(option, NO_LIMITS);
    expect(offer).toBeUndefined();
    expect(() => accept([{}])).toThrow('No extension was offered');
  });

  test.each([undefined, true, {}])('offers the default where it is %j', (option) => {
    expect(offerAsClient(option, NO_LIMITS).offer).toBe(`${NAME}; client_max_window_bits`);
  });

  test('offers what its options say', () => {
    const options = { serverNoContextTakeover: true, clientMaxWindowBits: 11 };
    expect(offerAsClient(options, NO_LIMITS).offer).toBe(
      `${NAME}; server_no_context_takeover; client_max_window_bits=11`,
    );
  });

  test('names an option that is wrong', () => {
    expect(() => offerAsClient({ clientMaxWindowBits: 7 }, NO_LIMITS)).toThrow(
      'clientMaxWindowBits',
    );
  });

  test('compresses as was agreed', async () => {
    const client = accept(`${NAME}; client_max_window_bits=9`);
    expect(client.key).toMatch(/^9,/);
    const agreement = agree(`${NAME}; client_max_window_bits`) as Agreement;
    expect(formatAgreement(agreement)).toBe(NAME);
    expectBytes(await inflate(client, await deflate(client, text(5000))), text(5000));
    client.close();
  });

  test('fails where the answer is not one to its offer', () => {
    expect(() => accept(`${NAME}; unknown`)).toThrow('Unknown parameter "unknown"');
    expect(() => accept(`${NAME}; server_max_window_bits=7`)).toThrow('server_max_window_bits');
  });
});
