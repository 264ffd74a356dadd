/** RFC 6455 6.1, 5.3: what we send. */
import { pattern } from '../../support/bytes';
import { CONTINUATION, PING, TEXT } from '../../support/frames';
import type { Conversation } from '../case';
import { showMessage } from '../run/show';
import { action, echoedText, quiet } from '../steps';

const LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, 100_000];

export const sending: readonly Conversation[] = [
  ...LENGTHS.flatMap((length): Conversation[] => {
    const text = 'x'.repeat(length);
    return [
      {
        id: `send-text-${length}`,
        clauses: [
          '6.1 encapsulate',
          '6.1 opcode',
          '6.1 fin',
          '6.1 mask',
          '5.2 minimal',
          '5.1 client masks',
        ],
        title: `text of ${length} bytes is one frame with FIN and the shortest length`,
        steps: [
          {
            app: action(`send(text of ${length} bytes)`, (ws) => ws.send(text)),
            wire: [showMessage(Buffer.from(text), false)],
          },
        ],
      },
      {
        id: `send-binary-${length}`,
        clauses: [
          '6.1 encapsulate',
          '6.1 opcode',
          '6.1 fin',
          '6.1 mask',
          '5.2 minimal',
          '5.1 server masks none',
        ],
        title: `${length} bytes are one frame with FIN and the shortest length`,
        steps: [
          {
            app: action(`send(${length} bytes)`, (ws) => ws.send(pattern(length))),
            wire: [showMessage(pattern(length), true)],
          },
        ],
      },
    ];
  }),
  {
    id: 'send-order',
    clauses: ['6.1 transmit', '5.4 order'],
    title: 'messages of every kind leave in the order in which they were sent',
    steps: [
      {
        app: action("send('a'), ping('b'), send(0x63), pong('d'), send('é')", (ws) => {
          ws.send('a');
          ws.ping('b');
          ws.send(Buffer.from('c'));
          ws.pong('d');
          ws.send('é');
        }),
        wire: ['text a', 'ping 62', 'binary 63', 'pong 64', 'text é'],
      },
    ],
  },
  {
    id: 'send-lone-surrogate',
    clauses: ['5.6 text', '8.1 utf8'],
    title: 'a string that has no form in UTF-8 is sent with U+FFFD in the place of what is wrong',
    steps: [
      {
        app: action("send('a\\ud800b'), send('\\udc00')", (ws) => {
          ws.send('a\ud800b');
          ws.send('\udc00');
        }),
        wire: ['text a\ufffdb', 'text \ufffd'],
      },
    ],
  },
  {
    id: 'send-payload-kept',
    clauses: ['10.3 not modified', '6.1 transmit'],
    title: "the application's own bytes are the same before and after they were masked and sent",
    steps: [
      {
        app: action('send(bytes), then compares them', (ws) => {
          const bytes = pattern(300);
          ws.send(bytes);
          expect(bytes.equals(pattern(300))).toBe(true);
        }),
        wire: [showMessage(pattern(300), true)],
      },
    ],
  },
  {
    id: 'early-frames',
    roles: ['client'],
    clauses: ['4.1 validate', '6.2 parse'],
    title: 'frames right behind the 101 are not lost, and come behind the opening handshake',
    early: [
      { opcode: TEXT, payload: 'welcome' },
      { opcode: PING, payload: 'a' },
      { opcode: TEXT, payload: 'half', fin: false, to: 2 },
    ],
    steps: [
      { wire: ['text welcome', 'pong 61'], told: ['text welcome', 'ping 61'] },
      quiet({ opcode: TEXT, payload: 'half', fin: false, from: 2 }),
      echoedText('halfway', { opcode: CONTINUATION, payload: 'way' }),
    ],
  },
  {
    id: 'early-fault',
    roles: ['client'],
    clauses: ['7.1.7 close frame', '10.7 validate'],
    title: 'a fault right behind the 101',
    early: [{ opcode: 3 }],
    steps: [{ wire: ['close 1002', 'end'], told: ['error WS_ERR_INVALID_OPCODE', 'close 1006'] }],
  },
  {
    id: 'send-when-closed',
    roles: ['server'],
    clauses: ['6.1 open'],
    title: 'nothing is sent on a connection that is not OPEN',
    steps: [
      { peer: 'end', wire: ['end'], told: ['close 1006'] },
      {
        app: action("send('late')", (ws) => {
          ws.send('late');
          expect(ws.readyState).toBe(3);
        }),
      },
    ],
  },
];
