/** How payloads and frames are written in the table's outcomes. */
import { createHash } from 'node:crypto';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../../support/frames';

const NAMES: Readonly<Record<number, string>> = {
  [CONTINUATION]: 'continuation',
  [TEXT]: 'text',
  [BINARY]: 'binary',
  [CLOSE]: 'close',
  [PING]: 'ping',
  [PONG]: 'pong',
};

/** Longer payloads are shown by length and hash. */
const SHOWN = 40;

/** A payload of text as it is, of bytes in hexadecimal digits, and a long one as its length and the start of its SHA-1. */
export function showPayload(kind: string, payload: Buffer): string {
  if (payload.length > SHOWN) {
    const hash = createHash('sha1').update(payload).digest('hex').slice(0, 8);
    return `${kind} ${payload.length} bytes ${hash}`;
  }
  const text = kind.startsWith('text') ? payload.toString() : payload.toString('hex');
  return payload.length === 0 ? kind : `${kind} ${text}`;
}

export function showMessage(data: Buffer, isBinary: boolean): string {
  return showPayload(isBinary ? 'binary' : 'text', data);
}

/** The code and reason of a close, be it a frame or an event. */
export function showClose(code: number | undefined, reason: Buffer | string): string {
  if (code === undefined) return 'close';
  return String(reason) === '' ? `close ${code}` : `close ${code} ${reason}`;
}

/** A frame as the peer reads it; `…` behind a name stands for FIN = 0. */
export function showFrame(opcode: number, fin: boolean, payload: Buffer): string {
  if (opcode === CLOSE) {
    const code = payload.length < 2 ? undefined : payload.readUInt16BE(0);
    return showClose(code, payload.subarray(2));
  }
  const name = NAMES[opcode] ?? `opcode ${opcode}`;
  return showPayload(fin ? name : `${name}…`, payload);
}
