import { once } from 'node:events';
import { Socket } from 'node:net';
import type { PerMessageDeflateOptions } from '../../src/deflate/options';
import type { WebSocket } from '../../src/websocket';
import type { Message } from './content';
import { LARGEST, noise, SIZES, text } from './content';
import type { Meeting, MeetingOptions } from './meeting';
import type { Closing, Implementation } from './peers/peer';
import { ABRUPT, NO_CODE } from './peers/peer';

/** One thing that two implementations do with each other. */
export interface Scenario {
  readonly name: string;
  /** Whether the other implementation has what it takes. */
  readonly suits?: (implementation: Implementation) => boolean;
  readonly options?: Partial<MeetingOptions>;
  run(meeting: Meeting, implementation: Implementation): Promise<void>;
}

/** The next messages that we receive. */
function receive(ours: WebSocket, count: number): Promise<Message[]> {
  return new Promise((resolve, reject) => {
    const messages: Message[] = [];
    const onMessage = (bytes: Buffer, isBinary: boolean): void => {
      messages.push({ bytes, isBinary });
      if (messages.length === count) done(() => resolve(messages));
    };
    const onError = (error: Error): void => done(() => reject(error));
    const onClose = (code: number): void =>
      done(() => reject(new Error(`Closed with ${code} after ${messages.length} messages`)));
    const done = (settle: () => void): void => {
      ours.off('message', onMessage).off('error', onError).off('close', onClose);
      settle();
    };
    ours.on('message', onMessage).on('error', onError).on('close', onClose);
  });
}

/** Sends all of the messages at once, and expects each of them back, in order. */
async function expectEchoes(ours: WebSocket, sent: readonly Message[]): Promise<void> {
  const echoes = receive(ours, sent.length);
  for (const { bytes, isBinary } of sent) ours.send(bytes, { binary: isBinary });
  const outline = (await echoes).map(({ bytes, isBinary }, index) => ({
    length: bytes.length,
    same: bytes.equals(sent[index].bytes),
    isBinary,
  }));
  expect(outline).toEqual(
    sent.map(({ bytes, isBinary }) => ({ length: bytes.length, same: true, isBinary })),
  );
}

/** Waits for the end of both ends, and says what each was told. */
function closings({ ours, peer }: Meeting): Promise<{ ours: Closing; peer: Closing }> {
  const ourClosing = new Promise<Closing>((resolve) => {
    ours.once('close', (code: number, reason: Buffer) => {
      resolve({ code, reason: String(reason) });
    });
  });
  return Promise.all([ourClosing, peer.closed]).then(([first, second]) => ({
    ours: first,
    peer: second,
  }));
}

/** Each kind of code, and reasons up to the 123 bytes that fit. */
const CLOSES: readonly (Closing | undefined)[] = [
  undefined,
  { code: 1000, reason: '' },
  { code: 1001, reason: 'going away' },
  { code: 1011, reason: '' },
  { code: 3000, reason: 'été ☕' },
  { code: 4999, reason: 'x'.repeat(123) },
];

function show(closing: Closing | undefined): string {
  if (closing === undefined) return 'no code';
  const { code, reason } = closing;
  return reason === '' ? `${code}` : `${code} and ${Buffer.byteLength(reason)} bytes of reason`;
}

const MESSAGES: readonly Scenario[] = [
  {
    name: 'messages of each size, one after the other without a pause',
    run: ({ ours }) =>
      expectEchoes(
        ours,
        SIZES.flatMap((size) => [text(size), noise(size)]),
      ),
  },
  {
    name: 'five hundred small messages keep their order',
    run: ({ ours }) =>
      expectEchoes(
        ours,
        Array.from({ length: 500 }, (_, index) => (index % 2 ? text(index) : noise(index))),
      ),
  },
  {
    name: 'a message that we send in fragments, with a ping between them',
    async run({ ours }) {
      const [whole, end] = [text(40_000), Buffer.from('été')];
      const events: string[] = [];
      ours.on('pong', (data: Buffer) => events.push(`pong ${data}`));
      ours.once('message', () => events.push('message'));
      const echo = receive(ours, 2);
      ours.send(whole.bytes.subarray(0, 10), { binary: false, fin: false });
      ours.ping('between');
      ours.send('', { fin: false });
      ours.send(whole.bytes.subarray(10), { binary: false, fin: false });
      // The first byte of a character of two.
      ours.send(end.subarray(0, 1), { binary: false, fin: false });
      ours.send(end.subarray(1), { binary: false });
      ours.send(noise(70_000).bytes, { fin: false });
      ours.send(Buffer.alloc(0));
      const [first, second] = await echo;
      expect(first.isBinary).toBe(false);
      expect(first.bytes.equals(Buffer.concat([whole.bytes, end]))).toBe(true);
      expect(second.isBinary).toBe(true);
      expect(second.bytes.equals(noise(70_000).bytes)).toBe(true);
      expect(events).toEqual(['pong between', 'message']);
    },
  },
  {
    name: 'a message that the other side sends in fragments',
    suits: ({ sendsParts }) => sendsParts,
    async run({ ours, peer }) {
      const long = text(20_000).bytes.toString();
      const message = receive(ours, 1);
      await peer.sendParts?.(['été', '', long, ' ', '🚀']);
      const [{ bytes, isBinary }] = await message;
      expect(isBinary).toBe(false);
      expect(bytes.equals(Buffer.from(`été${long} 🚀`))).toBe(true);
    },
  },
];

const LARGE: Scenario = {
  name: 'messages of 16 MiB',
  run({ ours }) {
    const large = text(LARGEST);
    return expectEchoes(ours, [large, { ...large, isBinary: true }]);
  },
};

const CONTROL: readonly Scenario[] = [
  {
    name: 'our pings',
    async run({ ours }) {
      const payloads = ['', 'Hello', 'x'.repeat(125)];
      const pongs: string[] = [];
      for (const payload of payloads) {
        const pong = once(ours, 'pong');
        ours.ping(payload);
        pongs.push(String((await pong)[0]));
      }
      expect(pongs).toEqual(payloads);
    },
  },
  {
    name: 'their pings',
    suits: ({ pings }) => pings,
    async run({ ours, peer }) {
      const payloads = ['Hello', 'x'.repeat(125)];
      const pings: string[] = [];
      ours.on('ping', (data: Buffer) => pings.push(String(data)));
      const pongs: (string | undefined)[] = [];
      for (const payload of payloads) pongs.push(await peer.ping?.(payload));
      expect(pings).toEqual(payloads);
      expect(pongs).toEqual(payloads);
    },
  },
];

const ENDINGS: readonly Scenario[] = [
  ...CLOSES.map((closing) => ({
    name: `we close with ${show(closing)}`,
    async run(meeting: Meeting, { told, answer }: Implementation) {
      const ended = closings(meeting);
      meeting.ours.close(closing?.code, closing?.reason);
      const sent = closing ?? NO_CODE;
      expect(await ended).toEqual({ ours: answer(sent), peer: told(sent) });
    },
  })),
  ...CLOSES.map((closing) => ({
    name: `they close with ${show(closing)}`,
    suits: ({ closes }: Implementation) => closes.includes(closing?.code),
    async run(meeting: Meeting, { heard }: Implementation) {
      const ended = closings(meeting);
      await meeting.peer.close(closing?.code, closing?.reason);
      const sent = closing ?? NO_CODE;
      expect(await ended).toEqual({ ours: sent, peer: heard(sent) });
    },
  })),
  {
    name: 'we go away without a close frame',
    async run(meeting, { told }) {
      const ended = closings(meeting);
      meeting.ours.terminate();
      expect(await ended).toEqual({ ours: ABRUPT, peer: told(ABRUPT) });
    },
  },
  {
    name: 'a message larger than we take closes with 1009',
    options: { maxPayload: 1_500 },
    async run(meeting, { told }) {
      const { ours } = meeting;
      const ended = closings(meeting);
      const failed = once(ours, 'error');
      ours.send(text(2_000).bytes, { binary: false });
      expect((await failed)[0]).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
      expect((await ended).peer).toEqual(told({ code: 1009, reason: '' }));
    },
  },
];

const HANDSHAKES: readonly Scenario[] = [
  {
    name: 'a subprotocol of two',
    options: { protocols: ['chat.v1', 'chat.v2'] },
    async run({ ours, peer }) {
      expect([ours.protocol, peer.protocol]).toEqual(['chat.v2', 'chat.v2']);
    },
  },
  {
    name: 'no subprotocol',
    async run({ ours, peer }) {
      expect([ours.protocol, peer.protocol]).toEqual(['', '']);
    },
  },
];

const ALL = [...MESSAGES, LARGE, ...CONTROL, ...ENDINGS, ...HANDSHAKES];

const SHORT: Scenario = {
  name: 'what repeats is short on the wire',
  async run({ ours }, { deflate }) {
    const { _socket: socket } = ours;
    if (!(socket instanceof Socket)) throw new Error('Not on a socket');
    const [wrote, read] = [socket.bytesWritten, socket.bytesRead];
    await expectEchoes(ours, [text(300_000)]);
    expect(socket.bytesWritten - wrote).toBeLessThan(100_000);
    if (deflate === 'yes') expect(socket.bytesRead - read).toBeLessThan(100_000);
    else expect(socket.bytesRead - read).toBeGreaterThan(300_000);
  },
};

/** What the scenarios are played over. */
export interface Mode {
  readonly name: string;
  readonly secure: boolean;
  readonly perMessageDeflate: boolean | PerMessageDeflateOptions;
  readonly scenarios: readonly Scenario[];
}

export const PLAIN: Mode = {
  name: 'plain',
  secure: false,
  perMessageDeflate: false,
  scenarios: ALL,
};

/** No small message is left as it is, so that every scenario is about compression. */
export const DEFLATED: readonly Mode[] = [
  {
    name: 'deflated',
    secure: false,
    perMessageDeflate: { threshold: 0 },
    scenarios: [...ALL, SHORT],
  },
  {
    name: 'deflated message by message',
    secure: false,
    perMessageDeflate: {
      threshold: 0,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
    },
    scenarios: [...MESSAGES, SHORT],
  },
];

export const SECURE: Mode = {
  name: 'over TLS',
  secure: true,
  perMessageDeflate: false,
  scenarios: [...MESSAGES, ...CONTROL, ...ENDINGS],
};
