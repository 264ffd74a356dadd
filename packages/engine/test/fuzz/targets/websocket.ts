import { createCompression } from '../../../src/deflate/codec';
import { resolveDeflateOptions } from '../../../src/deflate/options';
import { memorySocketPair } from '../../../src/io/memory-socket';
import type { Role } from '../../../src/protocol/connection';
import { WebSocket } from '../../../src/websocket';
import { agreed } from '../../support/deflate';
import type { Choices } from '../choices';
import { expectFault } from '../codes';
import { cutBytes, frameBytes } from '../frames';
import type { Target } from '../target';
import { Finding } from '../target';

const DEFLATE = resolveDeflateOptions();

/** Frames as they have to be: whole, masked by clients alone, nothing behind a close frame. */
function expectFrames(bytes: Buffer, role: Role): void {
  let at = 0;
  let closed = false;
  while (at + 2 <= bytes.length) {
    if (closed) throw new Finding('bytes behind a close frame', bytes.toString('hex'));
    const [first, second] = [bytes[at], bytes[at + 1]];
    if (second >= 128 !== (role === 'client')) throw new Finding('masked wrongly', role, second);
    const form = second & 127;
    const size = form === 127 ? 10 : form === 126 ? 4 : 2;
    if (at + size > bytes.length) break;
    const length =
      form === 127
        ? Number(bytes.readBigUInt64BE(at + 2))
        : form === 126
          ? bytes.readUInt16BE(at + 2)
          : form;
    closed = (first & 15) === 8;
    at += size + (second >= 128 ? 4 : 0) + length;
  }
}

/** What an application does with its WebSocket. */
function use(webSocket: WebSocket, choices: Choices): void {
  const reactions = choices.take(choices.below(8));
  let messages = 0;
  webSocket.on('message', (data, isBinary) => {
    switch (reactions.length === 0 ? 0 : reactions[messages++ % reactions.length] % 8) {
      case 0:
        webSocket.send(data, { binary: isBinary });
        break;
      case 1:
        webSocket.ping('p');
        break;
      case 2:
        webSocket.pause();
        setImmediate(() => webSocket.resume());
        break;
      case 3:
        webSocket.close(1000, 'enough');
        break;
      case 4:
        webSocket.send('a', { fin: false });
        webSocket.send('b');
        break;
      case 5:
        webSocket.terminate();
        break;
      default:
    }
  });
}

/** A whole WebSocket on a stream, with an application, and a peer that sends anything and leaves in one way or another. */
export const webSocket: Target = {
  name: 'websocket',
  share: 8,
  async run(choices: Choices): Promise<void> {
    const role: Role = choices.oneIn(2) ? 'client' : 'server';
    const [end, other] = memorySocketPair();
    const compresses = choices.oneIn(2);
    const limits = { maxPayload: choices.pick([100_000, 1_000_000, 100]) };
    const ours = new WebSocket(null, undefined, { ...limits, closeTimeout: 1000 });
    const written: Buffer[] = [];
    other.on('data', (chunk: Buffer) => written.push(chunk));
    other.on('error', () => undefined);
    const closed = watch(ours);
    use(ours, choices);
    const head = choices.oneIn(3)
      ? frameBytes(choices, { masked: role === 'server' })
      : Buffer.alloc(0);
    ours.setSocket(end, head, {
      role,
      maskingKey: role === 'client' ? () => 0x01020304 : undefined,
      compression: compresses ? createCompression(agreed(), role, DEFLATE, limits) : undefined,
    });
    const bytes = frameBytes(choices, { masked: role === 'server', compression: compresses });
    for (const chunk of cutBytes(choices, bytes)) other.write(chunk);
    const resets = choices.oneIn(4);
    if (resets) other.destroy();
    else other.end();
    const errors = await closed;
    other.destroy();
    if (errors.length > 1) throw new Finding('more than one error', errors.map(String));
    for (const error of errors) expectFault(error);
    expectFrames(Buffer.concat(written), role);
  },
};

function watch(webSocket: WebSocket): Promise<Error[]> {
  const errors: Error[] = [];
  webSocket.on('error', (error) => {
    // The stream under it may break; what the peer has sent may not do any harm.
    if (!('syscall' in error)) errors.push(error);
  });
  return new Promise((resolve, reject) => {
    let closes = 0;
    webSocket.on('close', () => {
      if (++closes > 1) reject(new Finding('closed twice'));
      resolve(errors);
    });
  });
}
