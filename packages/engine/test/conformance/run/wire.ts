/** The raw peer: it reads bytes, and holds every frame to what RFC 6455 5 asks of a sender. */
import type { Duplex } from 'node:stream';
import { constants, inflateRawSync } from 'node:zlib';
import { CONTINUATION } from '../../support/frames';
import type { Role } from '../case';
import { showFrame } from './show';

const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

interface Header {
  readonly size: number;
  readonly length: number;
}

/** Takes apart what the side under test sends. */
export class WireReader {
  /** What has come, in the words of the table. */
  readonly log: string[] = [];
  /** Inflates a message; the frames of an unfinished one are kept until then. */
  inflate: ((payload: Buffer) => Buffer) | undefined = undefined;
  /** Takes the payload of each compressed message in the place of the log. */
  onCompressed: ((payload: Buffer) => void) | undefined = undefined;
  private readonly sender: Role;
  private readonly socket: Duplex;
  private chunks: Buffer[] = [];
  private size = 0;
  private needed = 1;
  /** A compressed message whose end has not come. */
  private compressed: { opcode: number; parts: Buffer[]; faults: string[] } | undefined = undefined;
  /** The masking key of the last frame. */
  private key = Buffer.alloc(0);
  private headEnd: ((head: string) => void) | undefined = undefined;

  /** @param sender the role of the side under test */
  constructor(sender: Role, socket: Duplex) {
    this.sender = sender;
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('end', () => {
      this.log.push(this.size > 0 ? `half a frame of ${this.size} bytes, end` : 'end');
      socket.end();
    });
    socket.on('error', (error: Error & { code?: string }) => this.log.push(String(error.code)));
  }

  /** The head of a request or response, which comes before any frame. */
  head(): Promise<string> {
    return new Promise((resolve) => {
      this.headEnd = resolve;
      if (this.size > 0) this.take(Buffer.alloc(0));
    });
  }

  private take(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.size < this.needed) return;
    const bytes = Buffer.concat(this.chunks);
    const left = this.headEnd === undefined ? this.frames(bytes) : this.readHead(bytes);
    this.chunks = [left];
    this.size = left.length;
  }

  private readHead(bytes: Buffer): Buffer {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return bytes;
    const settle = this.headEnd;
    this.headEnd = undefined;
    settle?.(bytes.toString('latin1', 0, end + 4));
    return this.frames(bytes.subarray(end + 4));
  }

  private frames(bytes: Buffer): Buffer {
    let at = 0;
    for (;;) {
      const left = bytes.subarray(at);
      const header = readHeader(left);
      this.needed = header === undefined ? left.length + 1 : header.size + header.length;
      if (header === undefined || left.length < this.needed) return left;
      this.frame(left, header);
      at += this.needed;
    }
  }

  private frame(bytes: Buffer, { size, length }: Header): void {
    const masked = bytes[1] > 127;
    const payload = Buffer.from(bytes.subarray(size, size + length));
    if (masked) unmask(payload, bytes.subarray(size - 4, size));
    const faults = this.faults(bytes, size, length, masked);
    const compressed = (bytes[0] & 64) !== 0;
    const [opcode, fin] = [bytes[0] & 15, bytes[0] > 127];
    if (compressed || (opcode === CONTINUATION && this.compressed !== undefined)) {
      this.compressedFrame(opcode, fin, payload, faults);
      return;
    }
    this.log.push([showFrame(opcode, fin, payload), ...faults].join(' !'));
  }

  /** Compressed messages are shown whole: what each fragment holds is for the compressor to say. */
  private compressedFrame(opcode: number, fin: boolean, payload: Buffer, faults: string[]): void {
    this.compressed ??= { opcode, parts: [], faults: [] };
    const message = this.compressed;
    message.parts.push(payload);
    message.faults.push(...faults);
    if (!fin) return;
    this.compressed = undefined;
    const { parts } = message;
    const whole = Buffer.concat(parts);
    const all = [...message.faults, ...compressionFaults(whole)];
    if (this.onCompressed !== undefined && all.length === 0) {
      this.onCompressed(whole);
      return;
    }
    const text = showFrame(message.opcode, true, this.inflate?.(whole) ?? whole);
    const count = parts.length === 1 ? '' : ` in ${parts.length} fragments`;
    this.log.push([`deflated ${text}${count}`, ...all].join(' !'));
  }

  private faults(bytes: Buffer, size: number, length: number, masked: boolean): string[] {
    const faults: string[] = [];
    const shortest = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    if (masked !== (this.sender === 'client')) faults.push(masked ? 'masked' : 'not masked');
    if (size - (masked ? 4 : 0) !== shortest) faults.push('length not minimal');
    if (masked && bytes.subarray(size - 4, size).equals(this.key)) faults.push('masking key again');
    this.key = Buffer.from(bytes.subarray(size - 4, size));
    if ((bytes[0] & 48) !== 0) faults.push('reserved bits');
    if (bytes[0] % 16 > 7 && (length > 125 || bytes[0] < 128)) faults.push('control frame');
    return faults;
  }

  /** What follows is no frame: only its end is of interest. */
  ignoreRest(): void {
    this.socket.removeAllListeners('data');
    this.socket.resume();
    this.chunks = [];
    this.size = 0;
  }
}

/** RFC 7692 7.2.1: the empty block at the end goes without its last four bytes, and an empty message is not no bytes. */
function compressionFaults(payload: Buffer): string[] {
  if (payload.length === 0) return ['no compressed data'];
  return payload.subarray(-4).equals(TAIL) ? ['tail not removed'] : [];
}

function readHeader(bytes: Buffer): Header | undefined {
  if (bytes.length < 2) return undefined;
  const form = bytes[1] & 127;
  const size = 2 + (form === 126 ? 2 : form === 127 ? 8 : 0) + (bytes[1] > 127 ? 4 : 0);
  if (bytes.length < size) return undefined;
  if (form < 126) return { size, length: form };
  return {
    size,
    length: form === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2)),
  };
}

function unmask(payload: Buffer, key: Buffer): void {
  for (let at = 0; at < payload.length; at++) payload[at] ^= key[at % 4];
}

/** An inflater of messages: of each by itself, or of each behind all the others. */
export function inflater(takeover: boolean, windowBits = 15): (payload: Buffer) => Buffer {
  let before = Buffer.alloc(0);
  let inflated = 0;
  return (payload) => {
    const input = Buffer.concat([before, payload, TAIL]);
    const all = inflateRawSync(input, { windowBits, finishFlush: constants.Z_SYNC_FLUSH });
    const message = all.subarray(inflated);
    if (takeover) {
      before = input;
      inflated = all.length;
    }
    return message;
  };
}
