import type { OriginPolicy, Origins } from '../../src/handshake/origin';
import { checkOrigin, createOriginPolicy, requestOrigin } from '../../src/handshake/origin';
import type { Refusal } from '../../src/handshake/refusal';
import { serializeRefusal } from '../../src/handshake/refusal';
import type { HandshakeRequest } from '../../src/handshake/request';

/** A request with these header lines. */
function request(...rawHeaders: string[]): HandshakeRequest {
  const headers: Record<string, string> = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers[rawHeaders[index].toLowerCase()] = rawHeaders[index + 1];
  }
  return { method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1, headers, rawHeaders };
}

const from = (origin: string): HandshakeRequest => request('Origin', origin);

/** The status of the answer, 101 where there is no refusal. */
function status(origin: string, origins?: Origins<HandshakeRequest>, host = 'example.com'): number {
  const refusal = checkOrigin(from(origin), createOriginPolicy(origins), { secure: true, host });
  if (refusal instanceof Promise) throw new Error('a promise');
  return refusal?.status ?? 101;
}

describe('without the option', () => {
  test.each([
    ['https://example.com', 'example.com'],
    ['https://example.com:443', 'example.com'],
    ['https://example.com', 'example.com:443'],
    ['https://example.com', 'example.com:'],
    ['HTTPS://EXAMPLE.com', 'example.COM'],
    ['https://example.com:8443', 'example.com:8443'],
    ['https://xn--bcher-kva.example', 'XN--bcher-kva.example'],
    ['https://127.0.0.1:3000', '127.0.0.1:3000'],
    ['https://[::1]:3000', '[0:0:0:0:0:0:0:1]:3000'],
    ['https://example.com.', 'example.com.'],
    ['https://my_service', 'my_service'],
  ])('%s may connect to %s', (origin, host) => {
    expect(status(origin, undefined, host)).toBe(101);
  });

  test('http is the same origin where the request was not secure', () => {
    const policy = createOriginPolicy<HandshakeRequest>();
    const self = { secure: false, host: 'example.com' };
    expect(checkOrigin(from('http://example.com'), policy, self)).toBeNull();
    expect(checkOrigin(from('http://example.com:80'), policy, self)).toBeNull();
    expect(checkOrigin(from('http://example.com:443'), policy, self)).not.toBeNull();
  });

  test.each([
    // T18 and H8: other sites, and every way to look like this one.
    'null',
    '',
    'http://example.com',
    'ws://example.com',
    'wss://example.com',
    'https://example.com:8443',
    'https://example.com:80',
    'https://example.com:0',
    'https://example.com:4430',
    'https://evil.example',
    'https://sub.example.com',
    'https://com',
    'https://evil-example.com',
    'https://example.com.evil.example',
    'https://example.com.',
    'https://example.comm',
    'https://example.com@evil.example',
    'https://evil.example@example.com',
    'https://user:secret@example.com',
    'https://@example.com',
    'https://evil.example#example.com',
    'https://evil.example\\example.com',
    'https://example.com/',
    'https://example.com/path',
    'https://example.com?',
    'https://example.com#',
    'https://example%2ecom',
    'https://ex%61mple.com',
    'https://example.com:443:443',
    'https://example.com:0x1bb',
    'https://example.com:-443',
    ' https://example.com',
    'https://example.com https://evil.example',
    'https://example.com, https://evil.example',
    'https://example.com\t',
    'https:example.com',
    'https:///example.com',
    '://example.com',
    '//example.com',
    'example.com',
    'https://',
    'https://*.com',
    'https://exаmple.com',
    'https://xn--exmple-4nf.com',
    'javascript://example.com',
    'chrome-extension://example.com',
    'file://',
  ])('%j may not', (origin) => {
    expect(status(origin)).toBe(403);
  });

  test('an IDN in the bytes of UTF-8 is not its punycode', () => {
    const bytes = Buffer.from('https://bücher.example').toString('latin1');
    expect(status(bytes, undefined, 'xn--bcher-kva.example')).toBe(403);
  });

  test.each(['[::2]', '[::1', '::1'])('https://[::1] may not connect to %s', (host) => {
    expect(status('https://[::1]', undefined, host)).toBe(403);
  });

  test.each([undefined, '', 'a b', 'evil.example/', 'https://example.com', 'null'])(
    'nobody may connect to the host %j',
    (host) => {
      const self = { secure: true, host };
      const policy = createOriginPolicy<HandshakeRequest>();
      expect(checkOrigin(from('null'), policy, self)).toMatchObject({ status: 403 });
      expect(checkOrigin(from('https://example.com'), policy, self)).toMatchObject({ status: 403 });
    },
  );
});

describe('what is looked at', () => {
  const self = { secure: true, host: 'example.com' };
  const good = 'https://example.com';
  const listed = createOriginPolicy<HandshakeRequest>([good]);
  const same = createOriginPolicy<HandshakeRequest>();
  const none = createOriginPolicy<HandshakeRequest>(() => false);

  test.each([
    ['same', same],
    ['list', listed],
    ['function', none],
  ])('no origin passes: %s', (_name, policy) => {
    expect(checkOrigin(request('Host', 'example.com'), policy, self)).toBeNull();
    const bare = { ...request(), rawHeaders: undefined };
    expect(checkOrigin(bare, policy, self)).toBeNull();
  });

  test.each([
    [['Origin', good, 'Origin', good]],
    [['Origin', good, 'origin', 'https://evil.example']],
    [['Origin', good, 'Sec-WebSocket-Origin', good]],
    [['Sec-WebSocket-Origin', good, 'Sec-WebSocket-Origin', good]],
  ])('two are refused: %j', (lines) => {
    for (const policy of [same, listed, createOriginPolicy<HandshakeRequest>(() => true)]) {
      expect(checkOrigin(request(...lines), policy, self)).toMatchObject({ status: 403 });
    }
  });

  test('the origin of draft 8', () => {
    expect(checkOrigin(request('Sec-WebSocket-Origin', good), same, self)).toBeNull();
    const evil = request('Sec-WebSocket-Origin', 'https://evil.example');
    expect(checkOrigin(evil, same, self)).toMatchObject({ status: 403 });
  });

  test('an origin that `headers` lacks', () => {
    const hidden = { ...from('https://evil.example'), headers: {} };
    expect(checkOrigin(hidden, same, self)).toMatchObject({ status: 403 });
  });
});

describe("'*'", () => {
  test.each(['https://evil.example', 'null', '', 'a b'])('%j may connect', (origin) => {
    expect(status(origin, '*')).toBe(101);
  });

  test('two may, too', () => {
    const two = request('Origin', 'null', 'Origin', 'null');
    const policy = createOriginPolicy<HandshakeRequest>('*');
    expect(checkOrigin(two, policy, { secure: true, host: undefined })).toBeNull();
  });
});

describe('a list', () => {
  test.each([
    ['https://a.example', 'https://a.example'],
    ['https://A.example:443', 'https://a.example'],
    ['https://a.example', 'HTTPS://A.EXAMPLE:443'],
    ['http://a.example:8080', 'http://a.example:8080'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['https://BÜCHER.example:8443', 'https://xn--bcher-kva.example:8443'],
    ['http://[0::1]:3000', 'http://[::1]:3000'],
    ['capacitor://localhost', 'capacitor://localhost'],
    ['chrome-extension://abcdef', 'chrome-extension://abcdef'],
    ['https://*.a.example', 'https://b.a.example'],
    ['https://*.a.example', 'https://c.B.a.example:443'],
    ['https://*.a.example:8443', 'https://b.a.example:8443'],
    ['https://*.bücher.example', 'https://a.xn--bcher-kva.example'],
    ['http://*.localhost', 'http://a.localhost'],
  ])('with %s lets %s connect', (entry, origin) => {
    expect(status(origin, ['https://other.example', entry])).toBe(101);
  });

  test.each([
    ['https://a.example', 'https://example.com'],
    ['https://a.example', 'http://a.example'],
    ['https://a.example', 'https://a.example:8443'],
    ['https://a.example', 'https://b.a.example'],
    ['https://a.example', 'https://a.example/'],
    ['https://a.example', 'null'],
    ['https://a.example', ''],
    ['capacitor://localhost', 'capacitor://localhost:1'],
    ['https://*.a.example', 'https://a.example'],
    ['https://*.a.example', 'https://.a.example'],
    ['https://*.a.example', 'https://ba.example'],
    ['https://*.a.example', 'https://b.a.example.evil.example'],
    ['https://*.a.example', 'https://evil.example#.a.example'],
    ['https://*.a.example', 'http://b.a.example'],
    ['https://*.a.example', 'https://b.a.example:8443'],
    ['https://*.a.example', 'https://*.a.example:1'],
  ])('with %s does not let %s', (entry, origin) => {
    expect(status(origin, [entry])).toBe(403);
  });

  test('that is empty lets no page connect', () => {
    expect(status('https://example.com', [])).toBe(403);
  });
});

describe('a bad option', () => {
  test.each([
    'null',
    '*',
    '',
    'example.com',
    '//example.com',
    '://example.com',
    'https://',
    'https:example.com',
    'https://example.com/',
    'https://example.com/path',
    'https://bücher.example/path',
    'https://b%C3%BCcher.example',
    'https://example.com:65536',
    'https://example.com:*',
    'https://bücher.example:x',
    'https://user@example.com',
    'https://example.com ',
    'https://*',
    'https://*.',
    'https://a.*.example',
    'https://*.*.example',
    'https://*a.example',
    '*://example.com',
    'https://*.0.0.1',
    'https://*.[::1]',
    'https://example.com://a',
    '1https://example.com',
    'file://',
  ])('the entry %j', (entry) => {
    expect(() => createOriginPolicy(['https://example.com', entry])).toThrow(
      new TypeError(
        `The option "origins" holds '${entry}', which is not an origin such as ` +
          "'https://example.com' or 'https://*.example.com'",
      ),
    );
  });

  test.each([
    [undefined, 'undefined'],
    [/example/, '/example/'],
    [['https://example.com'], '[Array]'],
    [null, 'null'],
  ])('the entry %p', (entry, shown) => {
    expect(() => createOriginPolicy([entry] as unknown as string[])).toThrow(
      new TypeError(
        `The option "origins" holds ${shown}, which is not an origin such as ` +
          "'https://example.com' or 'https://*.example.com'",
      ),
    );
  });

  test.each([
    ['https://example.com', "'https://example.com'"],
    [null, 'null'],
    [true, 'true'],
    [/example/, '/example/'],
    [new Set(['https://example.com']), '[Set]'],
  ])('%p', (origins, shown) => {
    expect(() => createOriginPolicy(origins as unknown as '*')).toThrow(
      new TypeError(
        `The option "origins" must be '*', a list of origins or a function, got ${shown}`,
      ),
    );
  });
});

describe('a function', () => {
  const self = { secure: true, host: 'example.com' };

  function check(
    allows: (origin: string, request: HandshakeRequest) => unknown,
    origin = 'https://a.example',
  ): Refusal | null | Promise<Refusal | null> {
    const policy = createOriginPolicy(allows as (origin: string) => boolean);
    return checkOrigin(from(origin), policy, self);
  }

  test('is given the header and the request', () => {
    const allows = jest.fn(() => true);
    expect(check(allows, 'HTTPS://A.example:443')).toBeNull();
    expect(allows).toHaveBeenCalledTimes(1);
    expect(allows).toHaveBeenCalledWith('HTTPS://A.example:443', from('HTTPS://A.example:443'));
  });

  test.each(['null', 'garbage', ''])('is asked about %j', (origin) => {
    expect(check((asked) => asked === origin, origin)).toBeNull();
  });

  test('says no', () => {
    expect(check(() => false)).toMatchObject({ status: 403 });
  });

  test('may promise', async () => {
    const yes = check(async () => true);
    expect(yes).toBeInstanceOf(Promise);
    await expect(yes).resolves.toBeNull();
    await expect(check(async () => false)).resolves.toMatchObject({ status: 403 });
  });

  test.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [1, '1'],
    ['yes', "'yes'"],
  ])('that answers %p is a mistake', async (answer, shown) => {
    const mistake = new TypeError(
      `The option "origins" answered ${shown} for 'https://a.example'; it must be true or false`,
    );
    expect(() => check(() => answer)).toThrow(mistake);
    await expect(check(async () => answer)).rejects.toThrow(mistake);
  });

  test('what it throws or rejects with goes through', async () => {
    const error = new Error('no');
    expect(() =>
      check(() => {
        throw error;
      }),
    ).toThrow(error);
    await expect(check(() => Promise.reject(error))).rejects.toBe(error);
  });
});

describe('the refusal', () => {
  const text = (
    origin: string,
    policy: OriginPolicy<HandshakeRequest>,
    self = { secure: true, host: 'example.com:8443' },
  ): string => {
    const refusal = checkOrigin(from(origin), policy, self);
    if (refusal === null || refusal instanceof Promise) throw new Error('no refusal');
    expect(refusal).toEqual({
      status: 403,
      message: refusal.message,
      headers: [['Content-Type', 'text/plain; charset=utf-8']],
      rule: 'RFC 6455 4.2.2 (4), 10.2',
    });
    return refusal.message;
  };
  const end = 'The option "origins" allows others (RFC 6455 10.2)';

  test('names the origin, the reason and the option', () => {
    expect(text('https://evil.example', createOriginPolicy())).toBe(
      `The origin "https://evil.example" may not open a WebSocket here: this server is https://example.com:8443. ${end}`,
    );
    expect(text('https://evil.example', createOriginPolicy([]))).toBe(
      `The origin "https://evil.example" may not open a WebSocket here: it is not listed. ${end}`,
    );
    expect(
      text(
        'https://evil.example',
        createOriginPolicy(() => false),
      ),
    ).toBe(
      `The origin "https://evil.example" may not open a WebSocket here: it is not allowed. ${end}`,
    );
    expect(text('null', createOriginPolicy(), { secure: true, host: '' })).toBe(
      `The origin "null" may not open a WebSocket here: the host of this server is not known. ${end}`,
    );
  });

  test('tells of the proxy that is not trusted', () => {
    const self = { secure: false, host: 'example.com' };
    expect(text('https://example.com', createOriginPolicy(), self)).toBe(
      'The origin "https://example.com" may not open a WebSocket here: this server is http://example.com ' +
        `unless the framework trusts the proxy in front of it. ${end}`,
    );
    expect(text('https://evil.example', createOriginPolicy(), self)).toBe(
      `The origin "https://evil.example" may not open a WebSocket here: this server is http://example.com. ${end}`,
    );
    expect(text('http://example.com:81', createOriginPolicy(), self)).toBe(
      `The origin "http://example.com:81" may not open a WebSocket here: this server is http://example.com. ${end}`,
    );
    expect(text('null', createOriginPolicy(), self)).toBe(
      `The origin "null" may not open a WebSocket here: this server is http://example.com. ${end}`,
    );
  });

  test('cuts a long origin', () => {
    const origin = `https://${'a'.repeat(1 << 20)}`;
    expect(text(origin, createOriginPolicy())).toBe(
      `The origin "https://${'a'.repeat(92)}..." may not open a WebSocket here: ` +
        `this server is https://example.com:8443. ${end}`,
    );
  });

  test('names both of two', () => {
    const two = request('Origin', 'https://a.example', 'Origin', 'null');
    expect(
      checkOrigin(two, createOriginPolicy(), { secure: true, host: 'a.example' }),
    ).toMatchObject({
      message: `The origin "https://a.example, null" may not open a WebSocket here: it is more than one. ${end}`,
    });
  });

  test('is plain text, whatever the origin is', () => {
    const refusal = checkOrigin(from('https://<script>'), createOriginPolicy(), {
      secure: true,
      host: 'a.example',
    });
    if (refusal === null || refusal instanceof Promise) throw new Error('no refusal');
    expect(serializeRefusal(refusal).toString()).toBe(
      'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 145\r\n' +
        'Content-Type: text/plain; charset=utf-8\r\n\r\n' +
        `The origin "https://<script>" may not open a WebSocket here: this server is https://a.example. ${end}`,
    );
  });
});

describe('requestOrigin', () => {
  test.each([
    ['13', 'https://a.example'],
    ['8', 'https://b.example'],
    ['7', 'https://a.example'],
  ])('version %s', (version, origin) => {
    const both = request(
      ...['Origin', 'https://a.example', 'Sec-WebSocket-Origin', 'https://b.example'],
      ...['Sec-WebSocket-Version', version],
    );
    expect(requestOrigin(both)).toBe(origin);
  });

  test('there may be none', () => {
    expect(requestOrigin(request())).toBeUndefined();
    expect(requestOrigin(request('Sec-WebSocket-Version', '8'))).toBeUndefined();
  });
});
