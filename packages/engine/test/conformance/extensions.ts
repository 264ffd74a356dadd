/** Lists of extensions (RFC 6455 9.1). */

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
