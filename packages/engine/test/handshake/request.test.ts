import type { HandshakeRequest } from '../../src/handshake/request';
import { headerLines, headerValue } from '../../src/handshake/request';

function request(headers: object, rawHeaders?: string[]): HandshakeRequest {
  return {
    method: 'GET',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    headers: headers as HandshakeRequest['headers'],
    rawHeaders,
  };
}

describe('headerValue', () => {
  test('is the text, or nothing', () => {
    expect(headerValue(request({ host: 'a' }), 'host')).toBe('a');
    expect(headerValue(request({ host: '' }), 'host')).toBe('');
    expect(headerValue(request({}), 'host')).toBeUndefined();
  });

  test.each([13, null, undefined, ['13'], { toString: () => '13' }])('%p is nothing', (value) => {
    expect(headerValue(request({ 'sec-websocket-version': value }), 'sec-websocket-version')).toBe(
      undefined,
    );
  });

  test('an inherited function is nothing', () => {
    expect(headerValue(request({}), 'constructor')).toBeUndefined();
    expect(headerValue(request({}), '__proto__')).toBeUndefined();
  });
});

describe('headerLines', () => {
  test('are the lines as they were sent, in any case', () => {
    const raw = ['Host', 'a', 'X-Host', 'x', 'tsoh', 'y', 'HOST', 'b'];
    expect(headerLines(request({ host: 'a' }, raw), 'host')).toEqual(['a', 'b']);
  });

  test('are there when `headers` lacks the header', () => {
    expect(headerLines(request({}, ['Origin', 'http://a']), 'origin')).toEqual(['http://a']);
  });

  test('a request without lines has those of `headers`', () => {
    expect(headerLines(request({ host: 'a' }), 'host')).toEqual(['a']);
    expect(headerLines(request({ host: 'a' }, []), 'host')).toEqual(['a']);
    expect(headerLines(request({ host: 'a' }, ['Host']), 'host')).toEqual(['a']);
    expect(headerLines(request({}), 'host')).toEqual([]);
    expect(headerLines(request({ host: ['a', 'b'] }), 'host')).toEqual([]);
  });
});
