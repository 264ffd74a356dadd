import type { MessageCompression } from '../protocol/compression';
import type { CompressionSettings } from './coder';
import { settingsOf } from './coder';
import type { DeflateDone } from './deflation';
import { Deflation } from './deflation';
import type { InflateDone } from './inflation';
import { Inflation } from './inflation';
import type { CompressionLimits } from './limits';
import type { Agreement } from './negotiate';
import type { ResolvedDeflateOptions } from './options';
import { Limiter } from './threads';

const limiters = new WeakMap<ResolvedDeflateOptions, Limiter>();

/** The one limiter of all connections with these options. */
export function limiterOf(options: ResolvedDeflateOptions): Limiter {
  let limiter = limiters.get(options);
  if (limiter === undefined) {
    limiter = new Limiter(options.concurrencyLimit);
    limiters.set(options, limiter);
  }
  return limiter;
}

/** permessage-deflate on one connection. */
export class Compression implements MessageCompression {
  /** How a prepared message has to be compressed for this connection; the same object for the same settings. */
  readonly settings: CompressionSettings;
  private readonly outgoing: Deflation;
  private readonly incoming: Inflation;

  constructor(
    agreement: Agreement,
    role: 'server' | 'client',
    options: ResolvedDeflateOptions,
    limits: CompressionLimits,
  ) {
    const isServer = role === 'server';
    const { serverNoContextTakeover, clientNoContextTakeover } = agreement;
    const limiter = limiterOf(options);
    this.settings = settingsOf(agreement, role, options);
    this.outgoing = new Deflation(
      this.settings,
      !(isServer ? serverNoContextTakeover : clientNoContextTakeover),
      options.threshold,
      limiter,
      options.deflateChunkSize,
    );
    this.incoming = new Inflation(
      isServer ? agreement.clientMaxWindowBits : agreement.serverMaxWindowBits,
      !(isServer ? clientNoContextTakeover : serverNoContextTakeover),
      limits,
      limiter,
      options.inflateChunkSize,
    );
  }

  compresses(length: number): boolean {
    return this.outgoing.compresses(length);
  }

  get key(): string {
    return this.settings.key;
  }

  compressesAlone(length: number): boolean {
    return this.outgoing.compressesAlone(length);
  }

  deflateAlone(payload: Uint8Array): Buffer | Promise<Buffer> {
    return this.outgoing.deflateAlone(payload);
  }

  deflate(payload: Uint8Array, fin: boolean, done: DeflateDone): void {
    this.outgoing.deflate(payload, fin, done);
  }

  inflate(payload: Buffer, done: InflateDone): void {
    this.incoming.inflate(payload, done);
  }

  sentElsewhere(): void {
    this.outgoing.reset();
  }

  close(): void {
    this.outgoing.close();
    this.incoming.close();
  }
}

/**
 * permessage-deflate as two peers have agreed on it.
 *
 * @param role which of them we are
 * @param options as they were negotiated with; connections that share the object share its `concurrencyLimit`
 * @param limits what a received message may cost
 */
export function createCompression(
  agreement: Agreement,
  role: 'server' | 'client',
  options: ResolvedDeflateOptions,
  limits: CompressionLimits,
): Compression {
  return new Compression(agreement, role, options, limits);
}
