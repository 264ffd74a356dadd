import { hex } from '../../support/bytes';
import { text } from '../../support/deflate';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../../support/frames';
import type { Conversation } from '../case';
import {
  ALONE,
  CLIENT_ALONE,
  COMPRESSED,
  deflatedText,
  echoed,
  echoedBinary,
  PLAIN,
  SERVER_ALONE,
  zlibbed,
} from '../deflated';
import { action, fails, invalidUtf8, protocolError, quiet } from '../steps';

const SIZES = [16, 1_000, 40_000, 200_000];

const parameters: Conversation[] = [
  ...[PLAIN, ALONE].flatMap((deflate) =>
    SIZES.map((size) => {
      const [one, two] = [text(size), text(size, 2)];
      const alone = deflate === ALONE;
      return {
        id: `deflate-${size}-${alone ? 'alone' : 'takeover'}`,
        clauses: ['7692 7.2.2 inflate', '7692 7.1.1 takeover', '7692 7.1.1 no takeover'],
        title: `messages of ${size} bytes ${alone ? 'without' : 'with'} context takeover`,
        deflate,
        steps: [
          echoed(one, zlibbed(TEXT, one)),
          echoed(two, zlibbed(TEXT, two, alone ? undefined : one)),
        ],
      };
    }),
  ),
  ...[9, 10, 11, 12, 13, 14, 15].map((bits): Conversation => {
    const [one, two] = [text(3_000), text(3_000, 2)];
    return {
      id: `deflate-windows-${bits}`,
      clauses: ['7692 7.1.2 window', '7692 7.2.2 inflate'],
      title: `windows of ${bits} bits for both`,
      deflate: `${PLAIN}; server_max_window_bits=${bits}; client_max_window_bits=${bits}`,
      steps: [
        echoed(one, zlibbed(TEXT, one, Buffer.alloc(0), bits)),
        echoed(two, zlibbed(TEXT, two, one, bits)),
      ],
    };
  }),
];

const oneSided: Conversation[] = [
  ...[SERVER_ALONE, CLIENT_ALONE].map((deflate) => ({
    id: `deflate-${deflate === SERVER_ALONE ? 'server' : 'client'}-alone`,
    clauses: ['7692 7.1.1 no takeover', '7692 7.1.1 server', '7692 7.1.1 client'],
    title: `context takeover for the ${deflate === SERVER_ALONE ? 'client' : 'server'} only`,
    deflate,
    steps: [text(2_000), text(2_000, 2), text(2_000)].map((one) => echoed(one, zlibbed(TEXT, one))),
  })),
  ...[
    [8, 15],
    [15, 8],
    [9, 12],
  ].map(
    ([server, client]): Conversation => ({
      id: `deflate-windows-${server}-and-${client}`,
      clauses: ['7692 7.1.2 window', '7692 7.2.2 inflate'],
      title: `a window of ${server} bits for the server, of ${client} for the client`,
      deflate: `${PLAIN}; server_max_window_bits=${server}; client_max_window_bits=${client}`,
      // The peer keeps to the smaller of the two, which either may.
      steps: [text(3_000), text(3_000, 2)].map((one) =>
        echoed(one, zlibbed(TEXT, one, Buffer.alloc(0), 9)),
      ),
    }),
  ),
  {
    id: 'deflate-own-empty',
    clauses: ['7692 7.2.3 empty', '7692 7.2.1 tail'],
    title: 'empty messages of ours, of either type, and one behind them',
    deflate: PLAIN,
    steps: [
      {
        app: action("send(''), send(0 bytes), send('a')", (ws) => {
          ws.send('');
          ws.send(Buffer.alloc(0));
          ws.send('a');
        }),
        wire: ['deflated text', 'deflated binary', 'deflated text a'],
      },
    ],
  },
  {
    id: 'deflate-own-fragments',
    clauses: ['7692 6.1 first frame', '7692 6.1 rsv1', '6.1 opcode'],
    title: 'a message of ours in three fragments, a ping between them, and one behind it',
    deflate: PLAIN,
    steps: [
      {
        app: action(
          "send('Hel', fin: false), ping(), send('l', fin: false), send('o'), send('Hello')",
          (ws) => {
            ws.send('Hel', { fin: false });
            ws.ping();
            ws.send('l', { fin: false });
            ws.send('o', { fin: true });
            ws.send('Hello');
          },
        ),
        wire: ['ping', 'deflated text Hello in 3 fragments', 'deflated text Hello'],
      },
    ],
  },
  {
    id: 'deflate-own-control',
    clauses: ['7692 6.1 rsv1'],
    title: 'pings, pongs and close frames of ours are never compressed',
    deflate: PLAIN,
    steps: [
      {
        app: action("ping('aaaaaaaa'), pong('aaaaaaaa'), send('aaaaaaaa')", (ws) => {
          ws.ping('aaaaaaaa');
          ws.pong('aaaaaaaa');
          ws.send('aaaaaaaa');
        }),
        wire: ['ping 6161616161616161', 'pong 6161616161616161', 'deflated text aaaaaaaa'],
      },
    ],
  },
  {
    id: 'deflate-own-uncompressed',
    clauses: ['7692 6.2 uncompressed'],
    title: 'a message of ours that is sent without compression has no RSV1',
    deflate: PLAIN,
    steps: [
      {
        app: action("send('a', compress: false), send('b')", (ws) => {
          ws.send('a', { compress: false });
          ws.send('b');
        }),
        wire: ['text a', 'deflated text b'],
      },
    ],
  },
];

const CONTROL: readonly [name: string, opcode: number][] = [
  ['close', CLOSE],
  ['ping', PING],
  ['pong', PONG],
];

const BAD_DATA: readonly [digits: string, code: string][] = [
  ['ff', 'Z_DATA_ERROR'],
  ['07', 'Z_DATA_ERROR'],
  ['f2ff', 'Z_BUF_ERROR'],
  ['000500ffff48656c6c6f', 'Z_DATA_ERROR'],
  ['f200110000', 'Z_DATA_ERROR'],
];

const broken: Conversation[] = [
  ...CONTROL.map(([name, opcode]) => ({
    id: `deflate-rsv1-${name}`,
    clauses: ['7692 6.1 rsv1', '5.2 rsv'],
    title: `RSV1 on a ${name} frame where compression is in use`,
    deflate: PLAIN,
    steps: [
      quiet({ opcode, rsv: COMPRESSED, slice: [0, 1] as const }),
      protocolError('UNEXPECTED_RSV_1', { opcode, rsv: COMPRESSED, slice: [1, 2] }),
    ],
  })),
  ...[true, false].map((compressed) => ({
    id: `deflate-rsv1-continuation-of-${compressed ? 'compressed' : 'uncompressed'}`,
    clauses: ['7692 6.1 rsv1', '5.2 rsv'],
    title: `RSV1 on a fragment that is not the first, of ${compressed ? 'a compressed' : 'an uncompressed'} message`,
    deflate: PLAIN,
    steps: [
      quiet({
        opcode: TEXT,
        rsv: compressed ? COMPRESSED : 0,
        fin: false,
        payload: compressed ? hex('f248cd') : 'Hel',
      }),
      protocolError('UNEXPECTED_RSV_1', {
        opcode: CONTINUATION,
        rsv: COMPRESSED,
        payload: hex('c9c90700'),
      }),
    ],
  })),
  ...[1, 2, 5, 6].map((rsv) => ({
    id: `deflate-rsv-${rsv.toString(2).padStart(3, '0')}`,
    clauses: ['5.2 rsv'],
    title: `reserved bits ${rsv.toString(2).padStart(3, '0')} where compression is in use`,
    deflate: PLAIN,
    steps: [protocolError('UNEXPECTED_RSV_2_3', { opcode: TEXT, rsv, payload: hex('00') })],
  })),
  ...BAD_DATA.map(([digits, code]) => ({
    id: `deflate-bad-data-${digits}`,
    clauses: ['7692 7.2.2 inflate', '10.7 validate'],
    title: `${digits} is no DEFLATE data`,
    deflate: PLAIN,
    steps: [fails(1007, code, deflatedText(hex(digits)))],
  })),
  ...['ff', 'c3', 'eda080'].map((digits) => ({
    id: `deflate-bad-text-${digits}`,
    clauses: ['7692 6 constraints', '8.1 utf8'],
    title: `compressed text that inflates to ${digits}, which is not UTF-8`,
    deflate: PLAIN,
    steps: [invalidUtf8(zlibbed(TEXT, hex(digits)))],
  })),
  {
    id: 'deflate-not-utf8-on-the-wire',
    clauses: ['7692 6 constraints'],
    title: 'the compressed bytes of text need not be UTF-8, nor end with a whole character',
    deflate: PLAIN,
    steps: [
      echoed(
        'Hello',
        { ...deflatedText(hex('f2')), fin: false },
        { opcode: CONTINUATION, payload: hex('48cdc9c90700') },
      ),
    ],
  },
  {
    id: 'deflate-too-big',
    clauses: ['10.4 limit'],
    title: 'a message that inflates to more than maxPayload',
    options: { maxPayload: 1_000 },
    deflate: PLAIN,
    steps: [
      echoedBinary(Buffer.alloc(1_000), zlibbed(BINARY, Buffer.alloc(1_000))),
      fails(1009, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', zlibbed(BINARY, Buffer.alloc(1_001))),
    ],
  },
];

export const deflateParameters: readonly Conversation[] = [...parameters, ...oneSided, ...broken];
