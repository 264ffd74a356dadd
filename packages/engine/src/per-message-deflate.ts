import type { Compression } from './deflate/codec';
import { createCompression } from './deflate/codec';
import { lengthFault } from './deflate/limits';
import type { Agreement, DeflateParameters } from './deflate/negotiate';
import {
  acceptOffers,
  checkAgreement,
  createOffer,
  EXTENSION_NAME,
  readParameters,
} from './deflate/negotiate';
import type { PerMessageDeflateOptions, ResolvedDeflateOptions } from './deflate/options';
import { resolveDeflateOptions } from './deflate/options';
import type { ExtensionParameters } from './handshake/extensions';
import { booleanOption } from './options';
import { integerOption, MAX_BYTES } from './protocol/limits';

/** Called with what a message, or a fragment of one, has become. */
export type PerMessageDeflateCallback = (error: Error | null, data?: Buffer) => void;

/** Options of {@link PerMessageDeflate}. */
export interface PerMessageDeflateSettings extends PerMessageDeflateOptions {
  /**
   * Which side of the connection this is.
   * @defaultValue false
   */
  isServer?: boolean | undefined;
  /**
   * Most bytes of an inflated message; 0 is no limit.
   * @defaultValue 0
   */
  maxPayload?: number | undefined;
}

/**
 * permessage-deflate (RFC 7692) apart from any connection, with the interface that `ws` has: for those who speak the
 * protocol themselves.
 */
export class PerMessageDeflate {
  /** What was agreed on; `null` until {@link accept}. */
  params: Readonly<DeflateParameters> | null = null;

  private readonly options: ResolvedDeflateOptions;
  private readonly isServer: boolean;
  private readonly maxPayload: number;
  private agreement: Agreement | null = null;
  private compression: Compression | null = null;
  private readonly outgoing = new Line();
  private readonly incoming = new Line();
  /** Compressed fragments of an unfinished message. */
  private fragments: Buffer[] = [];
  private length = 0;

  /** @throws TypeError or RangeError that names the option and the value */
  constructor(options: PerMessageDeflateSettings = {}) {
    this.options = resolveDeflateOptions(options);
    this.isServer = booleanOption('isServer', options.isServer, false);
    const range = { min: 0, max: MAX_BYTES, unit: 'bytes' };
    this.maxPayload = integerOption('maxPayload', options.maxPayload, 0, range);
  }

  /** `'permessage-deflate'` */
  static get extensionName(): string {
    return EXTENSION_NAME;
  }

  /** The parameters that a client offers. */
  offer(): DeflateParameters {
    return createOffer(this.options);
  }

  /**
   * Accepts one of a client's offers (as a server) or a server's response (as a client).
   *
   * @param configurations the parameters of each `permessage-deflate` in the header
   * @returns the parameters agreed on, to be sent back by a server
   * @throws Error or TypeError when nothing can be agreed on
   */
  accept(configurations: readonly ExtensionParameters[]): Readonly<DeflateParameters> {
    this.cleanup();
    this.agreement = this.isServer
      ? this.acceptAsServer(configurations)
      : checkAgreement(configurations, this.options);
    this.params = this.agreement.parameters;
    return this.params;
  }

  /**
   * Compresses a message or a fragment of one. Calls wait for those before them.
   *
   * @param fin whether the message ends here
   */
  compress(data: Buffer | string, fin: boolean, callback: PerMessageDeflateCallback): void {
    const agreement = this.agreed();
    const payload = typeof data === 'string' ? Buffer.from(data) : data;
    this.outgoing.add(callback, (done) => {
      // The bytes of our own compressor lie in a Buffer.
      this.connect(agreement).deflate(payload, fin, (error, bytes) => done(error, bytes as Buffer));
    });
  }

  /**
   * Inflates a message or a fragment of one. Calls wait for those before them. What the fragments of a message hold is
   * handed over with the last of them.
   *
   * @param fin whether the message ends here
   */
  decompress(data: Buffer, fin: boolean, callback: PerMessageDeflateCallback): void {
    const agreement = this.agreed();
    this.incoming.add(callback, (done) => {
      if (data.length > 0) this.fragments.push(data);
      this.length += data.length;
      const tooLong = this.maxPayload > 0 && this.length > this.maxPayload;
      if (!fin && !tooLong) {
        done(null, Buffer.alloc(0));
        return;
      }
      const payload = this.fragments.length === 1 ? this.fragments[0] : this.join();
      this.forget();
      if (tooLong) done(lengthFault());
      else this.connect(agreement).inflate(payload, done);
    });
  }

  /** Gives all memory back; what is being compressed or inflated ends with an error. */
  cleanup(): void {
    const { compression } = this;
    this.compression = null;
    this.forget();
    compression?.close();
  }

  private acceptAsServer(offers: readonly ExtensionParameters[]): Agreement {
    const agreement = acceptOffers(offers, this.options);
    if (agreement !== null) return agreement;
    // An offer that cannot be read tells more about the failure than that there was no other.
    for (const offer of offers) readParameters(offer, 'offer');
    throw new Error('None of the extension offers can be accepted');
  }

  private agreed(): Agreement {
    if (this.agreement !== null) return this.agreement;
    throw new Error('The extension has not been negotiated: accept() comes first');
  }

  private connect(agreement: Agreement): Compression {
    this.compression ??= createCompression(
      agreement,
      this.isServer ? 'server' : 'client',
      this.options,
      { maxPayload: this.maxPayload },
    );
    return this.compression;
  }

  private join(): Buffer {
    return Buffer.concat(this.fragments, this.length);
  }

  private forget(): void {
    this.fragments = [];
    this.length = 0;
  }
}

/** Calls that wait in line for each other. Answers come later, never from within the call. */
class Line {
  private readonly waiting: (() => void)[] = [];
  private busy = false;

  add(callback: PerMessageDeflateCallback, work: (done: PerMessageDeflateCallback) => void): void {
    this.waiting.push(() => {
      work((error, data) => {
        process.nextTick(() => {
          this.next();
          if (error === null) callback(null, data);
          else callback(error);
        });
      });
    });
    if (!this.busy) this.next();
  }

  private next(): void {
    const work = this.waiting.shift();
    this.busy = work !== undefined;
    work?.();
  }
}
