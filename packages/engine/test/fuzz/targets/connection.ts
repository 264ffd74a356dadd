import { isUtf8 } from 'node:buffer';
import { createCompression } from '../../../src/deflate/codec';
import { resolveDeflateOptions } from '../../../src/deflate/options';
import type { Role } from '../../../src/protocol/connection';
import type { ProtocolError } from '../../../src/protocol/errors';
import type { LimitOptions } from '../../../src/protocol/limits';
import { State } from '../../../src/protocol/state';
import { agreed } from '../../support/deflate';
import { RecordedConnection } from '../../support/peer';
import type { Choices } from '../choices';
import { expectFault } from '../codes';
import { cutBytes, frameBytes } from '../frames';
import type { Target } from '../target';
import { expectSame, Finding } from '../target';

const DEFLATE = resolveDeflateOptions();

interface Settings {
  readonly role: Role;
  readonly limits: LimitOptions;
  readonly skipUTF8Validation: boolean;
  readonly autoPong: boolean;
  /** Whether messages may be compressed, and may refer to those before. */
  readonly compression: 'none' | 'alone' | 'takeover';
  /** After how many messages the application pauses; 0 for never. */
  readonly pauses: number;
}

function chooseSettings(choices: Choices): Settings {
  return {
    role: choices.oneIn(2) ? 'client' : 'server',
    limits: {
      // No message is inflated on the thread pool, which would make it later.
      maxPayload: choices.pick([30_000, 30_000, 1000, 10, 1]),
      maxFragments: choices.pick([0, 0, 0, 1, 3]),
      maxBufferedChunks: 0,
      maxFramingOverhead: choices.pick([262_144, 262_144, 20]),
      maxInflationRatio: choices.pick([0, 0, 2]),
    },
    skipUTF8Validation: choices.oneIn(6),
    autoPong: !choices.oneIn(4),
    compression: choices.pick(['none', 'none', 'alone', 'takeover']),
    pauses: choices.oneIn(3) ? 1 + choices.below(3) : 0,
  };
}

/** A connection that looks at each call as it comes. */
class Observed extends RecordedConnection {
  private faults = 0;
  private readonly settings: Settings;

  constructor(settings: Settings) {
    const { compression, limits, ...rest } = settings;
    const agreement = agreed({
      serverNoContextTakeover: compression === 'alone',
      clientNoContextTakeover: compression === 'alone',
    });
    super({
      ...rest,
      limits,
      compression:
        compression === 'none'
          ? undefined
          : createCompression(agreement, settings.role, DEFLATE, {
              maxPayload: limits.maxPayload ?? 0,
              maxInflationRatio: limits.maxInflationRatio,
            }),
    });
    this.settings = settings;
  }

  override onMessage(bytes: Buffer, start: number, end: number, binary: boolean): void {
    const { limits, skipUTF8Validation } = this.settings;
    this.expectReading('a message');
    if (end - start > Number(limits.maxPayload))
      throw new Finding('too long a message', end - start);
    if (!binary && !skipUTF8Validation && !isUtf8(bytes.subarray(start, end))) {
      throw new Finding('text that is none', bytes.toString('hex', start, end));
    }
    super.onMessage(bytes, start, end, binary);
  }

  override onPing(payload: Buffer): void {
    this.expectReading('a ping');
    super.onPing(payload);
  }

  override onPong(payload: Buffer): void {
    this.expectReading('a pong');
    super.onPong(payload);
  }

  override onFault(error: ProtocolError): void {
    if (++this.faults > 1) throw new Finding('a second fault', String(error));
    expectFault(error);
    super.onFault(error);
  }

  /** What was sent are pongs, and at most one close frame, the last. */
  expectAnswers(): void {
    const kinds = this.sent.map((frame) => frame[0]);
    const close = kinds.indexOf(0x88);
    if (kinds.some((kind) => kind !== 0x8a && kind !== 0x88)) throw new Finding('sent', kinds);
    if (close >= 0 && close !== kinds.length - 1) throw new Finding('sent behind a close', kinds);
  }

  private expectReading(what: string): void {
    if (this.faults > 0) throw new Finding(`${what} after a fault`);
    if (this.connection.closeReceived) throw new Finding(`${what} after a close frame`);
    if (this.connection.state === State.CLOSED) throw new Finding(`${what} when CLOSED`);
  }
}

function receive(settings: Settings, chunks: readonly Buffer[], pauses: number): string[] {
  const peer = new Observed(settings);
  const { connection, log } = peer;
  let messages = 0;
  peer.onEachMessage = () => {
    messages++;
    if (pauses > 0 && messages % pauses === 0) connection.suspend();
  };
  for (const chunk of chunks) {
    // Unmasked where it lies.
    connection.receive(Buffer.from(chunk));
    while (connection.isSuspended) connection.resume();
  }
  connection.receiveEnd();
  connection.transportClosed();
  peer.expectAnswers();
  if (connection.state !== State.CLOSED) throw new Finding('not CLOSED', connection.state);
  return [...log, `close ${connection.closeCode} ${connection.closeReason.toString('hex')}`];
}

/** A peer's bytes and all that comes of them, without a socket: it must not matter how they are cut. */
export const connection: Target = {
  name: 'connection',
  share: 20,
  run(choices: Choices): void {
    const settings = chooseSettings(choices);
    const bytes = frameBytes(choices, {
      masked: settings.role === 'server',
      compression: settings.compression !== 'none',
    });
    const chunks = cutBytes(choices, bytes);
    expectSame(
      'in chunks',
      receive(settings, chunks, settings.pauses),
      receive(settings, [bytes], 0),
    );
  },
};
