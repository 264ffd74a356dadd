import { WebSocket as Ws } from 'ws';
import type { Address } from '../src/address';
import { isSameRemote, parseAddress, resolveRedirect } from '../src/address';

const PROTOCOL_TEXT =
  'The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"';

describe('an address', () => {
  test.each<[string, Partial<Address>]>([
    ['ws://example.com', { href: 'ws://example.com/', secure: false, port: 80, path: '/' }],
    ['wss://example.com', { href: 'wss://example.com/', secure: true, port: 443, path: '/' }],
    ['http://example.com', { href: 'ws://example.com/', secure: false, port: 80 }],
    ['https://example.com', { href: 'wss://example.com/', secure: true, port: 443 }],
    ['ws://example.com:80/', { href: 'ws://example.com/', port: 80 }],
    ['wss://example.com:443/', { href: 'wss://example.com/', port: 443 }],
    ['ws://example.com:443/', { href: 'ws://example.com:443/', port: 443 }],
    ['WS://EXAMPLE.com:8080/A?b=C', { host: 'example.com', port: 8080, path: '/A?b=C' }],
    ['ws://example.com/a b?c d', { path: '/a%20b?c%20d' }],
    ['ws://example.com?x', { path: '/?x' }],
    ['ws://example.com/#', { path: '/' }],
    ['ws://[::1]:9000/x', { host: '::1', port: 9000, path: '/x', href: 'ws://[::1]:9000/x' }],
    ['ws://bücher.example/', { host: 'xn--bcher-kva.example' }],
  ])('%s', (address, expected) => {
    expect(parseAddress(address)).toMatchObject({ socketPath: undefined, ...expected });
  });

  test.each<[string, string | undefined, string]>([
    ['ws+unix:/run/a.sock', '/run/a.sock', ''],
    ['ws+unix:/run/a.sock:', '/run/a.sock', ''],
    ['ws+unix:/run/a.sock:/path', '/run/a.sock', '/path'],
    ['ws+unix:/run/a.sock:/path?x=1:2', '/run/a.sock', '/path?x=1:2'],
    ['ws+unix:./a.sock:/path', './a.sock', '/path'],
    ['ws+unix:/run/a b%3Ac.sock:/a%20b', '/run/a b:c.sock', '/a%20b'],
    ['ws+unix:/run/100%.sock', '/run/100%.sock', ''],
  ])('%s is a local socket', (address, socketPath, path) => {
    expect(parseAddress(address)).toMatchObject({ socketPath, path, host: '', secure: false });
  });

  test.each<[string, string | undefined]>([
    ['ws://example.com', undefined],
    ['ws://user:password@example.com', 'user:password'],
    ['ws://us%20er:p%40ss%3A@example.com', 'us er:p@ss:'],
    ['ws://user@example.com', 'user:'],
    ['ws://:password@example.com', ':password'],
    ['ws://a%zz:%F0%9F%98%80@example.com', 'a%zz:\u{1f600}'],
    ['ws://a:b%ff@example.com', 'a:b\ufffd'],
  ])('%s has the credentials %s', (address, auth) => {
    expect(parseAddress(address).auth).toBe(auth);
  });

  test('may be a URL, which is left as it is', () => {
    const url = new URL('https://example.com/a');
    expect(parseAddress(url)).toMatchObject({ href: 'wss://example.com/a', secure: true });
    expect(url.href).toBe('https://example.com/a');
  });

  test.each<[unknown, string]>([
    ['', 'Invalid URL: '],
    ['example.com', 'Invalid URL: example.com'],
    ['/path', 'Invalid URL: /path'],
    ['ws://', 'Invalid URL: ws://'],
    ['ws://example.com:65536', 'Invalid URL: ws://example.com:65536'],
    [undefined, 'Invalid URL: undefined'],
    [{}, 'Invalid URL: [object Object]'],
    ['ftp://example.com', PROTOCOL_TEXT],
    ['ws+tls://example.com', PROTOCOL_TEXT],
    ['constructor:/x', PROTOCOL_TEXT],
    ['data:,x', PROTOCOL_TEXT],
    ['ws+unix:', "The URL's pathname is empty"],
    ['ws+unix:#a', "The URL's pathname is empty"],
    ['ws://example.com/#a', 'The URL contains a fragment identifier'],
    ['ws+unix:/a.sock:/b#c', 'The URL contains a fragment identifier'],
    ['ftp://example.com/#a', PROTOCOL_TEXT],
  ])('%p is refused as ws refuses it', (address, message) => {
    // What is no address by its type is what this is about.
    const wrong = address as string;
    for (const read of [() => parseAddress(wrong), () => new Ws(wrong)]) {
      expect(read).toThrow(SyntaxError);
      expect(read).toThrow(expect.objectContaining({ message }));
    }
  });
});

describe('a redirect', () => {
  const follow = (from: string, location: string) => resolveRedirect(location, parseAddress(from));

  test.each<[string, string, string]>([
    ['ws://a.example/x/y', 'z', 'ws://a.example/x/z'],
    ['ws://a.example/x/y?q', '/z', 'ws://a.example/z'],
    ['ws://a.example/x', '//b.example/z', 'ws://b.example/z'],
    ['wss://a.example/x', '//b.example/z', 'wss://b.example/z'],
    ['ws://a.example/x', 'wss://b.example', 'wss://b.example/'],
    ['wss://a.example/x', 'http://b.example', 'ws://b.example/'],
    ['ws+unix:/a.sock:/x/y', 'z?q', 'ws+unix:/a.sock:/x/z?q'],
    ['ws+unix:/a.sock', '/z', 'ws+unix:/a.sock:/z'],
    ['ws+unix:/a%20b.sock:/x', '/z', 'ws+unix:/a%20b.sock:/z'],
    ['ws+unix:/a.sock:/x', 'ws+unix:/b.sock:/z', 'ws+unix:/b.sock:/z'],
    ['ws+unix:/a.sock:/x', 'ws://b.example/z', 'ws://b.example/z'],
    ['ws+unix:/a.sock:/x', '//b.example/z', 'ws://b.example/z'],
  ])('from %s to %s', (from, location, to) => {
    expect(follow(from, location).href).toBe(to);
  });

  test.each<[string, string, string]>([
    ['ws://a.example', 'http://', 'Invalid URL: http://'],
    ['ws+unix:/a.sock', 'http://', 'Invalid URL: http://'],
    ['ws://a.example', 'ftp://b.example', PROTOCOL_TEXT],
    ['ws://a.example', '/z#f', 'The URL contains a fragment identifier'],
    ['ws+unix:/a.sock', '/z#f', 'The URL contains a fragment identifier'],
  ])('from %s to %s fails', (from, location, message) => {
    expect(() => follow(from, location)).toThrow(SyntaxError);
    expect(() => follow(from, location)).toThrow(expect.objectContaining({ message }));
  });

  test.each(['ws://a.example', 'wss://a.example', 'ws://127.0.0.1'])(
    'from %s never leads to a local socket',
    (from) => {
      for (const location of ['ws+unix:/run/docker.sock:/x', 'WS+UNIX:/run/docker.sock:/x']) {
        expect(() => follow(from, location)).toThrow(
          `A redirect must not lead to a local socket: ${location}`,
        );
      }
    },
  );
});

test.each<[string, string, boolean]>([
  ['ws://a.example', 'ws://a.example:80/x', true],
  ['ws://a.example:443', 'wss://a.example', true],
  ['ws://a.example', 'wss://a.example', false],
  ['ws://a.example', 'ws://b.example', false],
  ['ws://a.example', 'ws://sub.a.example', false],
  ['ws://a.example', 'ws://a.example:81', false],
  ['ws+unix:/a.sock:/x', 'ws+unix:/a.sock:/y', true],
  ['ws+unix:/a.sock', 'ws+unix:/b.sock', false],
  ['ws+unix:/a.sock', 'ws://a.example', false],
])('%s and %s are one remote: %p', (one, other, same) => {
  expect(isSameRemote(parseAddress(one), parseAddress(other))).toBe(same);
});
