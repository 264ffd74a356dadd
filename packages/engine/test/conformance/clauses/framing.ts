/** RFC 6455 5 to 8: frames, messages and the end of the connection. */
import type { Clause } from './clause';
import { clausesOf, elsewhere } from './clause';

const INTERMEDIARY = 'For proxies between the two ends; we are none.';

export const framing: readonly Clause[] = clausesOf([
  [
    '5.1 client masks',
    'MUST',
    'client',
    'masks every frame',
    {
      note: 'The peer of the table looks at the mask of every frame that comes, in each case.',
    },
  ],
  ['5.1 unmasked', 'MUST', 'server', 'closes where a frame is not masked'],
  [
    '5.1 server masks none',
    'MUST',
    'server',
    'masks no frame',
    {
      note: 'The peer of the table looks at the mask of every frame that comes, in each case.',
    },
  ],
  ['5.1 masked', 'MUST', 'client', 'closes where a frame is masked'],
  ['5.2 rsv', 'MUST', 'both', 'fails where a reserved bit is set that no extension gave a meaning'],
  ['5.2 opcode', 'MUST', 'both', 'fails where the opcode is not known'],
  [
    '5.2 length',
    'MUST',
    'both',
    'reads and writes the length in 7, 16 and 64 bits, the most significant byte first',
  ],
  ['5.2 top bit', 'MUST', 'both', 'the most significant bit of a length of 64 bits is 0'],
  [
    '5.2 minimal',
    'MUST',
    'both',
    'the length has as few bytes as it needs',
    {
      note: 'The peer of the table looks at the length of every frame that comes, in each case.',
    },
  ],
  [
    '5.3 entropy',
    'MUST',
    'client',
    'masking keys come from a strong source of entropy, and one tells nothing of the next',
    {
      elsewhere: [elsewhere('io/masking-key.test.ts', 'have each bit set in half of them')],
    },
  ],
  [
    '5.3 fresh',
    'MUST',
    'client',
    'draws a key for each frame',
    {
      elsewhere: [elsewhere('io/masking-key.test.ts', 'do not come again when more are drawn')],
    },
  ],
  ['5.3 algorithm', 'MUST', 'both', 'masks and unmasks byte i with byte i mod 4 of the key'],
  ['5.4 control', 'MUST', 'both', 'control frames are not fragmented'],
  ['5.4 order', 'MUST', 'both', 'fragments are delivered in order'],
  ['5.4 no interleaving', 'MUST', 'both', 'no message stands between the fragments of another'],
  ['5.4 interleave', 'MUST', 'both', 'handles control frames between the fragments of a message'],
  ['5.4 support', 'MUST', 'both', 'takes messages in fragments and in one piece'],
  ['5.4 continuation', 'MUST', 'both', 'a continuation frame continues something'],
  ['5.4 type', 'MUST', 'both', 'all fragments of a message are of the type of the first'],
  [
    '5.4 intermediary',
    'MUST',
    'other',
    'changes no fragmentation that it does not understand',
    { note: INTERMEDIARY },
  ],
  ['5.5 length', 'MUST', 'both', 'control frames have at most 125 bytes'],
  ['5.5 fragmented', 'MUST', 'both', 'control frames have FIN'],
  ['5.5.1 body', 'MUST', 'both', 'the body of a close frame begins with a code of two bytes'],
  [
    '5.5.1 not shown',
    'MUST',
    'client',
    'does not show the reason to the end user',
    {
      note: 'The application gets the reason; what it shows is its own.',
    },
  ],
  ['5.5.1 no data', 'MUST', 'both', 'sends nothing behind a close frame'],
  ['5.5.1 after close', 'MUST', 'both', 'looks at nothing behind a close frame'],
  ['5.5.1 answer', 'MUST', 'both', 'answers a close frame with one, unless it has sent one'],
  ['5.5.1 soon', 'SHOULD', 'both', 'answers a close frame as soon as it can'],
  [
    '5.5.1 close tcp',
    'MUST',
    'both',
    'ends TCP when both close frames are out',
    {
      elsewhere: [
        elsewhere(
          'client/conversation.test.ts',
          'a client ends a connection that the server does not, after closeTimeout',
        ),
      ],
    },
  ],
  [
    '5.5.2 pong',
    'MUST',
    'both',
    'answers a ping with a pong, unless a close frame has come',
    {
      elsewhere: [
        elsewhere(
          'attacks/floods.test.ts',
          'a hundred thousand of a peer that reads are all answered',
        ),
      ],
      note: 'A peer that pings without reading is cut behind 60 pongs that wait (`maxPendingAutoPongs`). A ping that comes behind our own close frame is not answered: peers take any frame behind a close frame for a fault.',
    },
  ],
  ['5.5.2 soon', 'SHOULD', 'both', 'answers a ping as soon as it can'],
  [
    '5.5.2 send',
    'MAY',
    'both',
    'sends pings',
    {
      elsewhere: [
        elsewhere(
          'io/heartbeat.test.ts',
          'is pinged after a silence, and lost when it does not answer',
        ),
      ],
    },
  ],
  ['5.5.3 identical', 'MUST', 'both', 'the pong has the payload of the ping'],
  ['5.5.3 unsolicited', 'MAY', 'both', 'sends pongs unasked, and does not answer those that come'],
  [
    '5.6 text',
    'MUST',
    'both',
    'a whole text message is UTF-8; a frame of it may end within a character',
    {
      note: 'Bytes that the application sends as text (`binary: false`) are its own to answer for, as with `ws`: they are not looked at.',
    },
  ],
  ['6.1 open', 'MUST', 'both', 'sends only on a connection that is OPEN'],
  ['6.1 encapsulate', 'MUST', 'both', 'data is sent in frames'],
  [
    '6.1 opcode',
    'MUST',
    'both',
    'the first frame has the opcode of the type, the others that of a continuation',
  ],
  ['6.1 fin', 'MUST', 'both', 'the last frame has FIN'],
  ['6.1 mask', 'MUST', 'client', 'frames of data are masked'],
  ['6.1 transmit', 'MUST', 'both', 'frames are sent as they were formed'],
  ['6.2 parse', 'MUST', 'both', 'what comes is parsed as frames'],
  ['6.2 type', 'MUST', 'both', 'notes the type of a message'],
  ['6.2 next message', 'MUST', 'both', 'behind the last frame a new message begins'],
  ['6.2 unmask', 'MUST', 'server', 'unmasks what comes'],
  [
    '7.1.1 clean',
    'SHOULD',
    'both',
    'ends TCP and TLS cleanly, and drops what comes late',
    {
      elsewhere: [elsewhere('io/linger.test.ts', 'reads and drops what the peer still sends')],
    },
  ],
  ['7.1.1 server first', 'SHOULD', 'server', 'ends TCP first, and at once'],
  [
    '7.1.1 client waits',
    'SHOULD',
    'client',
    'waits for the server to end TCP, for a reasonable time',
    {
      note: 'One that fails ends TCP itself, as it may where the end is not a normal one.',
      elsewhere: [
        elsewhere(
          'client/conversation.test.ts',
          'a client ends a connection that the server does not, after closeTimeout',
        ),
      ],
    },
  ],
  [
    '7.1.2 start',
    'MUST',
    'both',
    'starts the closing handshake with a close frame that has the code and the reason',
  ],
  [
    '7.1.5 abnormal',
    'MUST',
    'both',
    'the code is 1005 where the close frame had none, 1006 where there was no close frame',
  ],
  ['7.1.7 close', 'MUST', 'both', 'closes the connection where it fails'],
  [
    '7.1.7 log',
    'SHOULD',
    'server',
    'logs the problem',
    {
      note: "The application is told, by `'error'`.",
      elsewhere: [elsewhere('diagnostics.test.ts', 'whether or not anybody listens to errors')],
    },
  ],
  [
    '7.1.7 close frame',
    'SHOULD',
    'both',
    'sends a close frame with a code that fits before it closes',
  ],
  ['7.1.7 no processing', 'MUST', 'both', 'looks at nothing that comes behind a fault'],
  [
    '7.1.7 clients',
    'SHOULD',
    'client',
    'does not close on its own',
    {
      note: 'A client closes where the application says so, or a limit that it has set.',
    },
  ],
  ['7.2.1 fail', 'MUST', 'client', 'fails the connection where the opening handshake does'],
  ['7.2.1 lost', 'MUST', 'client', 'fails the connection where the transport is lost'],
  [
    '7.2.2 abort',
    'MUST',
    'server',
    'closes the connection where it aborts the opening handshake',
    {
      elsewhere: [elsewhere('io/linger.test.ts', 'sends the last bytes and then the end')],
      note: 'Each refused handshake of the table is seen to end TCP.',
    },
  ],
  [
    '7.2.3 back-off',
    'SHOULD',
    'client',
    'waits for a random and growing time before it connects again',
    {
      note: 'We do not connect again by ourselves: a WebSocket is one connection.',
    },
  ],
  [
    '7.4 codes',
    'MUST',
    'both',
    'takes and sends the codes 1000 to 1014 but 1004 to 1006, and 3000 to 4999',
    {
      note: '1011 from either end and 1012 to 1014 are in the IANA registry, behind the RFC and its errata.',
    },
  ],
  ['7.4.1 1005', 'MUST', 'both', '1005 is in no close frame'],
  ['7.4.1 1006', 'MUST', 'both', '1006 is in no close frame'],
  ['7.4.1 1015', 'MUST', 'both', '1015 is in no close frame'],
  ['8.1 utf8', 'MUST', 'both', 'fails where bytes that are to be UTF-8 are not'],
  [
    '8.1 at once',
    'MUST',
    'both',
    'fails at the byte that cannot be part of UTF-8, before the message or the frame has ended',
    {
      note: 'The RFC does not say when; we hold ourselves to the earliest moment.',
    },
  ],
]);
