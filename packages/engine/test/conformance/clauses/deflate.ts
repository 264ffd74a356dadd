/** RFC 7692: permessage-deflate. */
import type { Clause } from './clause';
import { clausesOf, elsewhere } from './clause';

export const deflate: readonly Clause[] = clausesOf([
  ['7692 5 offer', 'MUST', 'client', 'offers the extension by its name'],
  ['7692 5 preference', 'SHOULD', 'server', 'accepts the first offer that it can meet'],
  [
    '7692 5 accept',
    'MUST',
    'both',
    'the extension is in use where the response has it, and only there',
  ],
  ['7692 5 once', 'MUST', 'client', 'fails where the response has the extension twice'],
  [
    '7692 5 conflict',
    'MUST',
    'both',
    'no two extensions that are in use want the same reserved bit',
    { note: 'We know no other extension.' },
  ],
  ['7692 6 opcode', 'MUST', 'both', 'the opcode is that of the message before it was compressed'],
  [
    '7692 6 constraints',
    'MUST',
    'both',
    'text is UTF-8 once it is inflated; the compressed bytes need not be',
  ],
  ['7692 6.1 first frame', 'MUST', 'both', 'RSV1 is on the first frame of a compressed message'],
  [
    '7692 6.1 rsv1',
    'MUST',
    'both',
    'fails where RSV1 is on a control frame or on a fragment that is not the first',
  ],
  ['7692 6.2 receive', 'MUST', 'both', 'inflates the payload of all fragments together'],
  ['7692 6.2 uncompressed', 'MUST', 'both', 'takes a message without RSV1 as it is'],
  [
    '7692 7.1 decline',
    'MUST',
    'server',
    'declines an offer with a parameter that is unknown, repeated or has a wrong value, or that it cannot meet',
  ],
  ['7692 7.1 fail', 'MUST', 'client', 'fails where the response has such a parameter'],
  [
    '7692 7.1.1 server',
    'MUST',
    'both',
    'server_no_context_takeover: the response repeats it, or has it unasked',
  ],
  [
    '7692 7.1.1 client',
    'MUST',
    'both',
    'client_no_context_takeover: the response may have it unasked',
  ],
  ['7692 7.1.1 takeover', 'MAY', 'both', 'a message refers to those before it'],
  [
    '7692 7.1.1 no takeover',
    'MUST',
    'both',
    'without takeover each message begins with an empty window',
    {
      note: 'The peer of the table inflates each message by itself.',
    },
  ],
  [
    '7692 7.1.2 server bits',
    'MUST',
    'both',
    'server_max_window_bits: 8 to 15 without leading zeros; the response has the same or less',
  ],
  [
    '7692 7.1.2 client bits',
    'MUST',
    'both',
    'client_max_window_bits: with a value in the response, and only where it was offered',
  ],
  [
    '7692 7.1.2 window',
    'MUST',
    'both',
    'no message refers further back than the window that was agreed on',
    {
      elsewhere: [elsewhere('deflate/codec.test.ts', 'largestDistance')],
    },
  ],
  [
    '7692 7.2.1 tail',
    'MUST',
    'both',
    'a compressed message ends with an empty block without the four bytes 00 00 ff ff',
  ],
  ['7692 7.2.2 inflate', 'MUST', 'both', 'inflates a message with 00 00 ff ff behind it'],
  [
    '7692 7.2.2 window',
    'MUST',
    'both',
    'keeps the window from message to message, unless it was agreed that none takes it over',
  ],
  [
    '7692 7.2.3 blocks',
    'MUST',
    'both',
    'takes blocks of every type, several of them, and with BFINAL',
  ],
  ['7692 7.2.3 empty', 'MUST', 'both', 'an empty message is one byte of 00'],
]);
