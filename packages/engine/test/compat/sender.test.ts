import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Peer from 'ws';
import { Sender } from '../../src/compat/sender';
import { WebSocketServer } from '../../src/server';
import { WebSocket } from '../../src/websocket';
import { pattern, toHex } from '../support/bytes';
import { frame, TEXT } from '../support/frames';

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const KEY = MASK.readInt32BE(0);

function generateMask(mask: Buffer): void {
  MASK.copy(mask);
}

describe('Sender.frame', () => {
  const options = { fin: true, opcode: TEXT };

  test.each([1, 125, 126, 65_535, 65_536])('%i bytes: header and the payload itself', (length) => {
    const payload = pattern(length);
    const parts = Sender.frame(payload, { ...options, mask: false, readOnly: false, rsv1: false });
    expect(parts).toHaveLength(2);
    expect(parts[1]).toBe(payload);
    expect(Buffer.concat(parts).equals(frame({ opcode: TEXT, payload }))).toBe(true);
  });

  test('an empty payload is a header alone', () => {
    expect(Sender.frame('', options).map(toHex)).toEqual(['8100']);
  });

  test('a string, a fragment, and one that is compressed', () => {
    expect(toHex(Buffer.concat(Sender.frame('Hé', { opcode: TEXT })))).toBe('010348c3a9');
    expect(toHex(Sender.frame('x', { opcode: 2, rsv1: true, fin: true })[0])).toBe('c201');
  });

  test('masked: read-only memory is copied, other memory is masked where it lies', () => {
    const payload = pattern(100);
    const expected = frame({ opcode: TEXT, payload, key: KEY });
    const masked = { ...options, mask: true, generateMask };
    const copy = Sender.frame(payload, { ...masked, readOnly: true });
    expect(copy).toHaveLength(1);
    expect(toHex(copy[0])).toBe(toHex(expected));
    expect(payload.equals(pattern(100))).toBe(true);

    const parts = Sender.frame(payload, { ...masked, readOnly: false });
    expect(parts[1]).toBe(payload);
    expect(toHex(Buffer.concat(parts))).toBe(toHex(expected));
  });

  test('the masking key goes into maskBuffer, and differs from frame to frame', () => {
    const maskBuffer = Buffer.alloc(4);
    const masked = { ...options, mask: true, readOnly: true, maskBuffer };
    const [given] = Sender.frame('abc', { ...masked, generateMask });
    expect(maskBuffer).toEqual(MASK);
    expect(given.subarray(2, 6)).toEqual(MASK);
    const keys = Array.from({ length: 8 }, () => {
      const [bytes] = Sender.frame('abc', masked);
      expect(bytes.subarray(2, 6)).toEqual(maskBuffer);
      return toHex(maskBuffer);
    });
    expect(new Set(keys).size).toBe(8);
  });

  test('what cannot be a frame', () => {
    expect(() => Sender.frame('x', { opcode: 16 })).toThrow(
      new RangeError('The "opcode" option must be an integer from 0 to 15, got 16'),
    );
    const bytes: unknown = 5;
    expect(() => Sender.frame(bytes as Buffer, options)).toThrow(
      new TypeError('The data must be a Buffer or a string, got 5'),
    );
    const maskBuffer = Buffer.alloc(3);
    expect(() => Sender.frame('x', { ...options, mask: true, maskBuffer })).toThrow(
      new RangeError('The "maskBuffer" option must have 4 bytes, got 3'),
    );
  });
});

describe('_sender.sendFrame', () => {
  let server: WebSocketServer;

  beforeEach(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true });
    await once(server, 'listening');
  });

  afterEach(async () => {
    for (const client of server.clients ?? []) client.terminate();
    const closed = once(server, 'close');
    server.close();
    await closed;
  });

  async function connect(perMessageDeflate: boolean) {
    const { port } = server.address() as AddressInfo;
    const peer = new Peer(`ws://127.0.0.1:${port}`, { perMessageDeflate });
    const [[webSocket]] = await Promise.all([once(server, 'connection'), once(peer, 'open')]);
    const received: string[] = [];
    peer.on('message', (data) => received.push(String(data)));
    return { peer, webSocket: webSocket as WebSocket, received };
  }

  const encode = (text: string) => Sender.frame(Buffer.from(text), { fin: true, opcode: TEXT });

  test('one frame for many, in the order of the other messages', async () => {
    const large = 'x'.repeat(100_000);
    const shared = [encode('broadcast'), encode(large), encode('')];
    const all = [await connect(false), await connect(true), await connect(false)];
    for (const { peer, webSocket, received } of all) {
      const told: string[] = [];
      webSocket.send('before');
      for (const [index, each] of shared.entries()) {
        webSocket._sender?.sendFrame(each, (error) => told.push(`${index} ${error ?? 'sent'}`));
      }
      webSocket.send('after');
      webSocket.close(1000);
      await once(peer, 'close');
      expect(received.map((text) => text.length)).toEqual([6, 9, 100_000, 0, 5]);
      expect([received[1], received[2] === large]).toEqual(['broadcast', true]);
      expect(told).toEqual(['0 sent', '1 sent', '2 sent']);
    }
  });

  test('waits behind a message that is still being compressed', async () => {
    const { peer, webSocket, received } = await connect(true);
    webSocket.send('y'.repeat(1_000_000));
    webSocket._sender?.sendFrame(encode('behind'));
    webSocket.close();
    await once(peer, 'close');
    expect(received.map((text) => text.length)).toEqual([1_000_000, 6]);
  });

  test('is one object, and refuses once the connection closes', async () => {
    const { webSocket } = await connect(false);
    expect(webSocket._sender).toBeInstanceOf(Sender);
    expect(webSocket._sender).toBe(webSocket._sender);
    webSocket.close();
    const refused = new Promise((resolve) => webSocket._sender?.sendFrame(encode('late'), resolve));
    webSocket._sender?.sendFrame(encode('late'));
    expect(await refused).toEqual(new Error('WebSocket is not open: readyState 2 (CLOSING)'));
  });

  test('there is none without a socket', () => {
    expect(new WebSocket(null)._sender).toBeNull();
  });
});
