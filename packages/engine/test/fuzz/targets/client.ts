import { createHash } from 'node:crypto';
import { memorySocketPair } from '../../../src/io/memory-socket';
import { WebSocket } from '../../../src/websocket';
import type { Choices } from '../choices';
import { expectFault, expectHandshakeError } from '../codes';
import { cutBytes, frameBytes } from '../frames';
import { responseHead } from '../headers';
import type { Target } from '../target';
import { Finding } from '../target';

function acceptOf(request: string): string {
  const [, key] = /^Sec-WebSocket-Key: (.*)\r$/m.exec(request) ?? [];
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** What a client has asked for. */
interface Asked {
  readonly accept: string;
  readonly protocols: readonly string[];
  readonly compression: boolean;
}

/** What an answer has to have, read from its bytes alone. */
function expectAnswer(answer: string, { accept, protocols, compression }: Asked): void {
  const says = (pattern: RegExp): boolean => pattern.test(answer);
  if (
    !says(/^HTTP\/1\.1 101/) ||
    !says(/^upgrade:[ \t]*websocket[ \t]*\r$/im) ||
    !says(/^connection:.*upgrade/im) ||
    !answer.includes(accept)
  ) {
    throw new Finding('opened by another answer', answer);
  }
  const values = (name: string): string[] =>
    [...answer.matchAll(new RegExp(`^${name}:(.*)\\r$`, 'gim'))].map(([, value]) => value.trim());
  if (values('sec-websocket-protocol').join() !== protocols.join()) {
    throw new Finding('opened with another subprotocol', answer);
  }
  const extensions = values('sec-websocket-extensions').join();
  if (extensions !== '' && !(compression && /^permessage-deflate *(;[^,]*)?$/.test(extensions))) {
    throw new Finding('opened with another extension', answer);
  }
}

/** A client and the answer to its handshake, with frames behind it. */
export const clientHandshake: Target = {
  name: 'client',
  share: 6,
  async run(choices: Choices): Promise<void> {
    const [end, other] = memorySocketPair();
    const protocols = choices.oneIn(2) ? ['chat'] : [];
    const compression = !choices.oneIn(3);
    const webSocket = new WebSocket('ws://localhost/', protocols, {
      allowSimultaneousHandshakes: true,
      createConnection: () => end,
      perMessageDeflate: compression,
      maxPayload: 100_000,
    });
    const closed = watch(webSocket);
    const request = await readRequest(other);
    const accept = acceptOf(request);
    const answer = responseHead(choices, accept);
    const frames = choices.oneIn(2)
      ? frameBytes(choices, { masked: false, compression: true })
      : [];
    for (const chunk of cutBytes(choices, Buffer.concat([answer, Buffer.from(frames)]))) {
      other.write(chunk);
    }
    other.end();
    const { opened, errors } = await closed;
    other.destroy();
    end.destroy();
    if (opened) {
      expectAnswer(answer.toString('latin1'), { accept, protocols, compression });
    }
    if (errors.length > 1) throw new Finding('more than one error', errors.map(String));
    for (const error of errors) (opened ? expectFault : expectHandshakeError)(error);
    if (!opened && errors.length === 0) throw new Finding('closed without a word');
  },
};

function watch(webSocket: WebSocket): Promise<{ opened: boolean; errors: Error[] }> {
  const errors: Error[] = [];
  let opened = false;
  webSocket.on('error', (error) => errors.push(error));
  webSocket.on('open', () => {
    opened = true;
  });
  return new Promise((resolve, reject) => {
    let closes = 0;
    webSocket.on('message', () => {
      if (closes > 0) reject(new Finding('a message after the close'));
    });
    webSocket.on('close', () => {
      if (++closes > 1) reject(new Finding('closed twice'));
      resolve({ opened, errors });
    });
  });
}

function readRequest(socket: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.endsWith('\r\n\r\n')) resolve(text);
    });
  });
}
