import { asciiHost, canonicalHost, parseAuthority } from '../../src/handshake/authority';
import { expectProportion } from '../support/proportion';

describe('parseAuthority', () => {
  test.each([
    ['example.com', 'example.com', null],
    ['example.com:8080', 'example.com', 8080],
    ['EXAMPLE.com:', 'EXAMPLE.com', null],
    ['example.com:0', 'example.com', 0],
    ['example.com:65535', 'example.com', 65535],
    ['example.com:00080', 'example.com', 80],
    ['my_service', 'my_service', null],
    ['a%41b', 'a%41b', null],
    ['127.0.0.1:80', '127.0.0.1', 80],
    ['[::1]', '[::1]', null],
    ['[::FFFF:127.0.0.1]:443', '[::FFFF:127.0.0.1]', 443],
  ])('%j', (text, host, port) => {
    expect(parseAuthority(text)).toEqual({ host, port });
  });

  test.each([
    '',
    ':80',
    'a:b',
    'a:65536',
    'a:-1',
    'a:8o',
    'a:1e2',
    'a:80:81',
    '::1',
    '[::1',
    '[::1]a',
    '[]',
    '[fe80::1%25eth0]',
    'user@example.com',
    'user:secret@example.com',
    'a b',
    'a, b',
    'a/',
    'a?b',
    'a#b',
    'a\\b',
    'a\t',
    'a\n',
    'é',
    `a:${'9'.repeat(400)}`,
  ])('%j is none', (text) => {
    expect(parseAuthority(text)).toBeNull();
  });

  test.each<[string, (size: number) => string]>([
    ['colons', (size) => ':'.repeat(size)],
    ['brackets', (size) => '[]'.repeat(size / 2)],
    ['digits', (size) => `a:${'1'.repeat(size)}`],
    ['letters', (size) => `${'a'.repeat(size)} `],
  ])('1 MiB of %s takes a time in proportion', (_name, text) => {
    expectProportion((size) => expect(parseAuthority(text(size))).toBeNull());
  });
});

describe('canonicalHost', () => {
  test('of a Unicode name, however often it was asked for', () => {
    // More than it takes until V8 compiles what is called.
    for (let count = 0; count < 20_000; count++) {
      expect(canonicalHost('bücher.example') === 'xn--bcher-kva.example').toBe(true);
    }
  });

  test.each([
    ['Example.COM', 'example.com'],
    ['example.com.', 'example.com.'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['127.1', '127.0.0.1'],
    ['0x7f.0.0.1', '127.0.0.1'],
    ['[0:0:0:0:0:0:0:1]', '[::1]'],
    ['[::FFFF:127.0.0.1]', '[::ffff:7f00:1]'],
    ['my_service', 'my_service'],
  ])('%j is %j', (host, canonical) => {
    expect(canonicalHost(host)).toBe(canonical);
  });

  test.each(['', 'a%2eb', '256.0.0.1', '[:::1]', '[1.2.3.4]', 'a'.repeat(256)])(
    '%j is none',
    (host) => {
      expect(canonicalHost(host)).toBeNull();
    },
  );

  test('a name of 255 is one', () => {
    const host = `${'a.'.repeat(127)}a`;
    expect(canonicalHost(host)).toBe(host);
  });
});

describe('asciiHost', () => {
  test.each([
    ['example.com', 'example.com'],
    ['Example.com/path', 'Example.com/path'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['bücher。example', 'xn--bcher-kva.example'],
    ['例え.jp', 'xn--r8jz45g.jp'],
    ['\u{1f600}.example', 'xn--e28h.example'],
  ])('%j is %j', (host, ascii) => {
    expect(asciiHost(host)).toBe(ascii);
  });

  test.each(['bü/x', 'bü:8', 'bü%41', 'bü@x', 'bü x', 'bü?x', 'ü／x', '℀.example', '[ü]'])(
    '%j is no host',
    (host) => {
      expect(asciiHost(host)).toBe('');
    },
  );
});
