import type { DeflateRaw } from 'node:zlib';
import { constants, createDeflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Compression } from '../../src/deflate/codec';
import { createCompression } from '../../src/deflate/codec';
import type { CompressionLimits } from '../../src/deflate/limits';
import type { Agreement } from '../../src/deflate/negotiate';
import type { PerMessageDeflateOptions } from '../../src/deflate/options';
import { resolveDeflateOptions } from '../../src/deflate/options';
import { setSynchronousMethod } from '../../src/deflate/synchronous';
import type { MessageCompression } from '../../src/protocol/compression';

/** An agreement as the handshake would make it. */
export function agreed(change: Partial<Agreement> = {}): Agreement {
  return {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
    parameters: {},
    ...change,
  };
}

export const NO_TAKEOVER = { serverNoContextTakeover: true, clientNoContextTakeover: true };

export const NO_LIMITS: CompressionLimits = { maxPayload: 0 };

const open: Compression[] = [];

/** A connection that {@link closeAll} closes. */
export function connect(
  role: 'server' | 'client',
  agreement: Partial<Agreement> = {},
  limits: CompressionLimits = NO_LIMITS,
  options: PerMessageDeflateOptions = {},
): Compression {
  const resolved = resolveDeflateOptions(options);
  const compression = createCompression(agreed(agreement), role, resolved, limits);
  open.push(compression);
  return compression;
}

/** A client that sends and a server that receives. */
export function connectPair(agreement: Partial<Agreement> = {}): [Compression, Compression] {
  return [connect('client', agreement), connect('server', agreement)];
}

/** Closes all connections of a test, and chooses the method anew. */
export function closeAll(): void {
  for (const compression of open.splice(0)) compression.close();
  setSynchronousMethod(undefined);
}

export function deflate(
  compression: MessageCompression,
  payload: Uint8Array,
  fin = true,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    compression.deflate(payload, fin, (error, bytes) => {
      if (bytes === undefined) reject(error);
      else resolve(Buffer.from(bytes));
    });
  });
}

export function inflate(compression: MessageCompression, payload: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    compression.inflate(payload, (error, bytes) => {
      if (bytes === undefined) reject(error);
      else resolve(bytes);
    });
  });
}

/** Text of which each line is like others, but not the same. */
export function text(length: number, seed = 1): Buffer {
  const lines: string[] = [];
  let state = seed;
  for (let size = 0; size < length; ) {
    state = (state * 1103515245 + 12345) % 2147483648;
    const line = `{"id":${state % 10007},"user":"${(state >>> 8) % 97}","online":${state % 3 === 0}}\n`;
    lines.push(line);
    size += line.length;
  }
  return Buffer.from(lines.join('').slice(0, length));
}

/** `toEqual` looks at each byte of a Buffer by itself, which takes seconds for large ones. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  expect({ length: actual.length, differsAt: at }).toEqual({
    length: expected.length,
    differsAt: -1,
  });
}

/** A zlib stream that compresses one message after the other, as another implementation would. */
export class StreamDeflater {
  private readonly stream: DeflateRaw;
  private pieces: Buffer[] = [];

  constructor(windowBits = 15) {
    this.stream = createDeflateRaw({ windowBits });
    this.stream.on('data', (piece: Buffer) => this.pieces.push(piece));
  }

  async deflate(message: Buffer): Promise<Buffer> {
    this.stream.write(message);
    await new Promise<void>((resolve) => this.stream.flush(constants.Z_SYNC_FLUSH, resolve));
    const bytes = Buffer.concat(this.pieces);
    this.pieces = [];
    return bytes.subarray(0, -4);
  }

  close(): void {
    this.stream.destroy();
  }
}

/** What a stream of messages inflates to by `node:zlib` alone. */
export function inflateStream(messages: readonly Buffer[], windowBits = 15): Buffer {
  const tail = Buffer.from([0, 0, 0xff, 0xff]);
  return inflateRawSync(Buffer.concat(messages.flatMap((message) => [message, tail])), {
    windowBits,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
}

const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
  163, 195, 227, 258,
];
const LENGTH_EXTRA = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** A code of RFC 1951 3.2.2 as a map from `length:bits` to symbol. */
function huffman(lengths: readonly number[]): Map<number, number> {
  const codes = new Map<number, number>();
  let code = 0;
  for (let length = 1; length <= 15; length++) {
    for (const [symbol, own] of lengths.entries()) {
      if (own !== length) continue;
      codes.set((1 << length) | code, symbol);
      code++;
    }
    code <<= 1;
  }
  return codes;
}

/**
 * Reads DEFLATE data (RFC 1951) without zlib, which does not notice a distance beyond the window as long as its own
 * output buffer reaches that far back.
 *
 * @returns the largest distance in it
 */
export function largestDistance(data: Buffer): number {
  let at = 0;
  let largest = 0;
  const bit = (): number => {
    const value = (data[at >>> 3] >>> (at & 7)) & 1;
    at++;
    return value;
  };
  const bits = (count: number): number => {
    let value = 0;
    for (let index = 0; index < count; index++) value |= bit() << index;
    return value;
  };
  const symbol = (codes: Map<number, number>): number => {
    for (let code = 1; code < 1 << 16; ) {
      code = (code << 1) | bit();
      const found = codes.get(code);
      if (found !== undefined) return found;
    }
    throw new Error('No such code');
  };
  const tables = (): [Map<number, number>, Map<number, number>] => {
    const [literals, distances, count] = [bits(5) + 257, bits(5) + 1, bits(4) + 4];
    const own = new Array<number>(19).fill(0);
    for (let index = 0; index < count; index++) own[CODE_ORDER[index]] = bits(3);
    const codes = huffman(own);
    const lengths: number[] = [];
    while (lengths.length < literals + distances) {
      const next = symbol(codes);
      if (next < 16) lengths.push(next);
      else if (next === 16) lengths.push(...new Array(bits(2) + 3).fill(lengths.at(-1)));
      else lengths.push(...new Array(next === 17 ? bits(3) + 3 : bits(7) + 11).fill(0));
    }
    return [huffman(lengths.slice(0, literals)), huffman(lengths.slice(literals))];
  };
  const fixed: [Map<number, number>, Map<number, number>] = [
    huffman(Array.from({ length: 288 }, (_, n) => (n < 144 ? 8 : n < 256 ? 9 : n < 280 ? 7 : 8))),
    huffman(new Array(30).fill(5)),
  ];
  const block = ([literals, distances]: [Map<number, number>, Map<number, number>]): void => {
    for (let next = symbol(literals); next !== 256; next = symbol(literals)) {
      if (next < 256) continue;
      bits(LENGTH_EXTRA[next - 257]);
      if (LENGTH_BASE[next - 257] === undefined) throw new Error('No such length');
      const code = symbol(distances);
      const extra = code < 4 ? 0 : (code >> 1) - 1;
      const base = code < 4 ? code + 1 : ((2 + (code & 1)) << extra) + 1;
      largest = Math.max(largest, base + bits(extra));
    }
  };
  while (at < data.length * 8) {
    const final = bit();
    const type = bits(2);
    if (type === 0) {
      at = (at + 7) & ~7;
      at += 32 + 8 * data.readUInt16LE(at >>> 3);
    } else {
      block(type === 1 ? fixed : tables());
    }
    if (final === 1) at = (at + 7) & ~7;
  }
  return largest;
}

/** A message as zlib alone compresses it. */
export function deflateSync(payload: Buffer): Buffer {
  return deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** Zeros in a block without compression. */
export function storedBlock(length: number): Buffer {
  if (length === 0) return Buffer.alloc(0);
  const header = Buffer.alloc(5);
  header.writeUInt16LE(length, 1);
  header.writeUInt16LE(~length & 0xffff, 3);
  return Buffer.concat([header, Buffer.alloc(length)]);
}
