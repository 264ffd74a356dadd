import type { DeflateRaw, InflateRaw } from 'node:zlib';
import { constants, createDeflateRaw, createInflateRaw, inflateRawSync } from 'node:zlib';
import type { CompressionSettings, Deflater, Inflater } from './coder';
import { cutShort, TAIL } from './coder';
import { MAX_WINDOW_BITS } from './options';

/**
 * The private part of a `node:zlib` stream that works in the calling thread and can be reset: without it, each message
 * costs a new zlib stream or a trip to the thread pool. `handlesWork` says whether this Node still has it.
 */
interface ZlibHandle {
  onerror: (message: string, errno: number, code: string) => void;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
  reset(): void;
  close(): void;
}

interface ZlibInternals {
  readonly _handle: ZlibHandle;
  /** Free bytes of output and unread bytes of input, after a write. */
  readonly _writeState: Uint32Array;
}

const { Z_BLOCK, Z_MIN_CHUNK, Z_SYNC_FLUSH } = constants;

/** Shared by all: what a write leaves there is copied before anything else can run. */
const OUTPUT = Buffer.allocUnsafeSlow(64 * 1024);
/** Room for the largest window and the header of its block. */
const INPUT = Buffer.allocUnsafeSlow(40 * 1024);

class Handle {
  /** Bytes of input that the last write has not read. */
  left = 0;
  private readonly handle: ZlibHandle;
  private readonly state: Uint32Array;
  private failure: Error | null = null;

  constructor(stream: DeflateRaw | InflateRaw) {
    // The declarations of Node do not name what is private.
    const { _handle, _writeState } = stream as unknown as ZlibInternals;
    this.handle = _handle;
    this.state = _writeState;
    this.handle.onerror = (message, errno, code) => {
      this.failure = Object.assign(new Error(message), { errno, code });
    };
  }

  /**
   * Writes input and collects all of the output.
   *
   * @returns `null` if it is more than `most` bytes
   */
  process(
    flush: number,
    input: Uint8Array,
    start: number,
    end: number,
    most: number,
  ): Buffer | null {
    let produced = this.write(flush, input, start, end);
    if (produced < OUTPUT.length) return produced > most ? null : copyOutput(produced);
    const pieces: Buffer[] = [];
    let total = produced;
    while (total <= most) {
      pieces.push(copyOutput(produced));
      if (produced < OUTPUT.length) return Buffer.concat(pieces, total);
      produced = this.write(flush, input, end - this.left, end);
      total += produced;
    }
    return null;
  }

  /** Writes input; what comes out and fits is at the start of `OUTPUT`. Returns its length. */
  write(flush: number, input: Uint8Array, start: number, end: number): number {
    this.handle.writeSync(flush, input, start, end - start, OUTPUT, 0, OUTPUT.length);
    this.throwFailure();
    this.left = this.state[1];
    return OUTPUT.length - this.state[0];
  }

  reset(): void {
    this.handle.reset();
    this.throwFailure();
  }

  close(): void {
    this.handle.close();
  }

  private throwFailure(): void {
    const { failure } = this;
    if (failure === null) return;
    this.failure = null;
    throw failure;
  }
}

function copyOutput(length: number): Buffer {
  const copy = Buffer.allocUnsafe(length);
  OUTPUT.copy(copy, 0, 0, length);
  return copy;
}

/** Compresses on a handle that remembers what it has compressed. */
export class HandleDeflater implements Deflater {
  private readonly handle: Handle;

  constructor({ windowBits, level, memLevel, strategy }: CompressionSettings) {
    // The stream's own buffer is not used.
    const chunkSize = Z_MIN_CHUNK;
    this.handle = new Handle(
      createDeflateRaw({ windowBits, level, memLevel, strategy, chunkSize }),
    );
  }

  deflate(payload: Uint8Array): Buffer {
    // What does not compress becomes a little larger. A handle that puts out more than that does not work.
    const most = 2 * payload.length + OUTPUT.length;
    const bytes = this.handle.process(Z_SYNC_FLUSH, payload, 0, payload.length, most);
    if (bytes === null) throw new Error(`zlib made more than ${most} bytes of ${payload.length}`);
    return bytes;
  }

  reset(): void {
    this.handle.reset();
  }

  close(): void {
    this.handle.close();
  }
}

/**
 * What the sender has cut off, and a byte more. Told to stop between two blocks, zlib leaves just that byte unread if
 * the message was whole.
 */
const TAIL_AND_PROBE = Buffer.from([...TAIL, 0x00]);

/** Decompresses on a handle that remembers what it has inflated. */
export class HandleInflater implements Inflater {
  end = 0;
  ended = false;
  private readonly handle: Handle;

  constructor(windowBits: number) {
    this.handle = new Handle(createInflateRaw({ windowBits, chunkSize: Z_MIN_CHUNK }));
  }

  inflate(payload: Uint8Array, start: number, most: number): Buffer | null {
    const { handle } = this;
    const { length } = payload;
    const output = handle.process(Z_SYNC_FLUSH, payload, start, length, most);
    this.end = length - handle.left;
    this.ended = handle.left > 0;
    if (output !== null && !this.ended) this.finish();
    return output;
  }

  /** RFC 7692 7.2.2 step 1. */
  private finish(): void {
    this.handle.write(Z_BLOCK, TAIL_AND_PROBE, 0, TAIL_AND_PROBE.length);
    this.ended = this.handle.left === TAIL_AND_PROBE.length;
    if (!this.ended && this.handle.left !== 1) throw cutShort();
  }

  reset(window: Uint8Array): void {
    this.handle.reset();
    if (window.length === 0) return;
    // A stored block fills the window at the cost of a copy; zlib takes a dictionary only when a handle is made.
    INPUT[0] = 0;
    INPUT.writeUInt16LE(window.length, 1);
    INPUT.writeUInt16LE(~window.length & 0xffff, 3);
    INPUT.set(window, 5);
    this.handle.write(Z_SYNC_FLUSH, INPUT, 0, 5 + window.length);
  }

  close(): void {
    this.handle.close();
  }
}

const NOTHING = Buffer.alloc(0);

/** Whether handles do all that is asked of them here, by doing it. */
export function handlesWork(): boolean {
  const open: { close(): void }[] = [];
  try {
    const settings = { windowBits: MAX_WINDOW_BITS, level: 1, memLevel: 8, strategy: 0, key: '' };
    const deflater = new HandleDeflater(settings);
    open.push(deflater);
    const inflater = new HandleInflater(MAX_WINDOW_BITS);
    open.push(inflater);
    return roundTripWorks(deflater, inflater) && noticesFaults(inflater);
  } catch {
    // Whatever a Node without these internals throws, the answer is the same.
    return false;
  } finally {
    for (const coder of open) coder.close();
  }
}

function roundTripWorks(deflater: HandleDeflater, inflater: HandleInflater): boolean {
  const text = Buffer.from('The same words, the same words, the same words.');
  const first = deflater.deflate(text);
  const second = deflater.deflate(text);
  deflater.reset();
  const publicly = inflateRawSync(first, { finishFlush: Z_SYNC_FLUSH });
  const message = (compressed: Buffer): Buffer => compressed.subarray(0, -TAIL.length);
  return (
    publicly.equals(text) &&
    second.length < first.length &&
    deflater.deflate(text).equals(first) &&
    resetAndInflate(inflater, NOTHING, message(first), text) &&
    isText(inflater.inflate(message(second), 0, text.length), text) &&
    resetAndInflate(inflater, text, message(second), text)
  );
}

function noticesFaults(inflater: HandleInflater): boolean {
  // "a" in a final block, and then a byte that must be left.
  const ending = Buffer.from([0x4b, 0x04, 0x00, 0x00]);
  return (
    failsWith(inflater, Buffer.from([0xff, 0xff]), 'Z_DATA_ERROR') &&
    // The same block, not final and without its end.
    failsWith(inflater, Buffer.from([0x4a]), 'Z_BUF_ERROR') &&
    resetAndInflate(inflater, NOTHING, ending, Buffer.from('a')) &&
    inflater.ended &&
    inflater.end === 3
  );
}

function failsWith(inflater: HandleInflater, message: Buffer, code: string): boolean {
  inflater.reset(NOTHING);
  try {
    inflater.inflate(message, 0, OUTPUT.length);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === code;
  }
}

function resetAndInflate(
  inflater: HandleInflater,
  window: Buffer,
  message: Buffer,
  text: Buffer,
): boolean {
  inflater.reset(window);
  return isText(inflater.inflate(message, 0, text.length), text);
}

function isText(bytes: Buffer | null, text: Buffer): boolean {
  return bytes?.equals(text) === true;
}
