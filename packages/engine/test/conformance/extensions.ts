/** Lists of extensions (RFC 6455 9.1). */
import type { PerMessageDeflateOptions } from '../../src/deflate/options';

export const NAME = 'permessage-deflate';
export const HEADER = 'Sec-WebSocket-Extensions';

/** Such as do not fit the grammar. */
export const MALFORMED: readonly string[] = [
  '',
  ',',
  ';',
  'a,',
  ',a',
  'a,,b',
  'a;',
  'a;;b',
  'a; b=',
  'a; =b',
  'a; b="',
  'a; b=""',
  'a; b="c d"',
  'a; b="c',
  'a b',
  'a; b c',
  'a; b=c=d',
  'a/b',
  '"a"',
  'a; "b"',
  'a; b=(c)',
  '@',
];

/** How the side under test was told to compress. */
export function describeOptions(options: PerMessageDeflateOptions = {}): string {
  const given = Object.entries(options).map(([name, value]) => `${name}: ${value}`);
  return given.length === 0 ? 'with default options' : `with ${given.join(', ')}`;
}
