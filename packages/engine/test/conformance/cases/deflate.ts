import { hex, pattern } from '../../support/bytes';
import { storedBlock } from '../../support/deflate';
import { BINARY, CONTINUATION, PING, TEXT } from '../../support/frames';
import type { Conversation, Step } from '../case';
import { COMPRESSED, deflatedText, echoed, echoedBinary, PLAIN, zlibbed } from '../deflated';
import { quiet } from '../steps';

/** The ways in which RFC 7692 7.2.3 writes "Hello". */
const HELLO: readonly [name: string, title: string, bytes: string][] = [
  ['one-block', 'one block with the fixed code', 'f248cdc9c90700'],
  ['stored', 'a block without compression', '000500faff48656c6c6f00'],
  ['final', 'a block with BFINAL = 1', 'f348cdc9c9070000'],
  ['two-blocks', 'two blocks with an empty one between them', 'f248050000 00ffffcac9c90700'],
];

export const deflateExamples: readonly Conversation[] = [
  ...HELLO.flatMap(([name, title, digits]) => {
    const payload = hex(digits);
    return [
      {
        id: `deflate-hello-${name}`,
        clauses: ['7692 7.2.2 inflate', '7692 7.2.3 blocks', '7692 6.2 receive'],
        title: `"Hello" as ${title}`,
        deflate: PLAIN,
        steps: [echoed('Hello', deflatedText(payload)), echoed('Hello', deflatedText(payload))],
      },
      {
        id: `deflate-hello-${name}-in-fragments`,
        clauses: ['7692 6.2 receive', '7692 6.1 first frame'],
        title: `"Hello" as ${title}, in fragments of one byte with a ping between them`,
        deflate: PLAIN,
        steps: [
          ...[...payload.subarray(0, -1)].flatMap((byte, index): Step[] => [
            quiet({
              opcode: index === 0 ? TEXT : CONTINUATION,
              rsv: index === 0 ? COMPRESSED : 0,
              fin: false,
              payload: Buffer.from([byte]),
            }),
            { peer: [{ opcode: PING }], wire: ['pong'], told: ['ping'] },
          ]),
          echoed('Hello', { opcode: CONTINUATION, payload: payload.subarray(-1) }),
        ],
      },
    ];
  }),
  {
    id: 'deflate-takeover',
    clauses: ['7692 7.2.2 window', '7692 7.1.1 takeover'],
    title: 'the second "Hello" refers to the first',
    deflate: PLAIN,
    steps: [
      echoed('Hello', deflatedText(hex('f248cdc9c90700'))),
      echoed('Hello', deflatedText(hex('f200110000'))),
      echoed('Hello', deflatedText(hex('f200110000'))),
    ],
  },
  {
    id: 'deflate-takeover-behind-final',
    clauses: ['7692 7.2.2 window', '7692 7.2.3 blocks'],
    title: 'a message may refer to one whose block had BFINAL = 1',
    deflate: PLAIN,
    steps: [
      echoed('Hello', deflatedText(hex('f348cdc9c9070000'))),
      echoed('Hello', deflatedText(hex('f200110000'))),
    ],
  },
  {
    id: 'deflate-takeover-behind-uncompressed',
    clauses: ['7692 7.2.2 window', '7692 6.2 uncompressed'],
    title: 'an uncompressed message between two compressed ones is not part of the window',
    deflate: PLAIN,
    steps: [
      echoed('Hello', deflatedText(hex('f248cdc9c90700'))),
      echoed('between', { opcode: TEXT, payload: 'between' }),
      echoed('Hello', deflatedText(hex('f200110000'))),
    ],
  },
  {
    id: 'deflate-final-then-more',
    clauses: ['7692 7.2.3 blocks'],
    title:
      'blocks behind one with BFINAL = 1 belong to the message, and may refer to what is before it',
    deflate: PLAIN,
    steps: [
      echoed('HelloHello', deflatedText(hex('f348cdc9c90700 f248cdc9c90700'))),
      echoed('HelloHello', deflatedText(hex('f348cdc9c90700 f200110000'))),
    ],
  },
  {
    id: 'deflate-empty',
    clauses: ['7692 7.2.3 empty', '7692 7.2.1 tail'],
    title: 'an empty message is one byte of 00',
    deflate: PLAIN,
    steps: [
      echoed('', deflatedText(hex('00'))),
      echoed('Hello', deflatedText(hex('f248cdc9c90700'))),
    ],
  },
  {
    id: 'deflate-empty-last-fragment',
    clauses: ['7692 6.2 receive', '7692 7.2.3 empty'],
    title: 'a compressed message whose last fragment is empty',
    deflate: PLAIN,
    steps: [
      echoed(
        'Hello',
        { ...deflatedText(hex('f248cdc9c90700')), fin: false },
        { opcode: CONTINUATION },
      ),
    ],
  },
  {
    id: 'deflate-empty-first-fragment',
    clauses: ['7692 6.2 receive', '7692 6.1 first frame'],
    title: 'a compressed message whose first fragment is empty',
    deflate: PLAIN,
    steps: [
      echoed(
        'Hello',
        { ...deflatedText(Buffer.alloc(0)), fin: false },
        { opcode: CONTINUATION, payload: hex('f248cdc9c90700') },
      ),
    ],
  },
  {
    id: 'deflate-uncompressed',
    clauses: ['7692 6.2 uncompressed'],
    title: 'messages without RSV1 are taken as they are',
    deflate: PLAIN,
    steps: [
      echoed('Hello', { opcode: TEXT, payload: 'Hello' }),
      echoed(
        'Hello',
        { opcode: TEXT, payload: 'Hel', fin: false },
        { opcode: CONTINUATION, payload: 'lo' },
      ),
    ],
  },
  {
    id: 'deflate-binary',
    clauses: ['7692 6 opcode', '7692 6.2 receive'],
    title: 'a compressed binary message is binary',
    deflate: PLAIN,
    steps: [echoedBinary(pattern(200), zlibbed(BINARY, pattern(200)))],
  },
  {
    id: 'deflate-stored-blocks',
    clauses: ['7692 7.2.3 blocks'],
    title: 'several blocks without compression, then an empty one',
    deflate: PLAIN,
    steps: [
      echoedBinary(Buffer.alloc(70_000), {
        opcode: BINARY,
        rsv: COMPRESSED,
        payload: Buffer.concat([storedBlock(65_535), storedBlock(4_465), hex('00')]),
      }),
    ],
  },
];
