/** The vocabulary of the table: what a case is, and how its bytes and outcomes are written. */
import type { WebSocketOptions } from '../../src/options';
import type { WebSocket } from '../../src/websocket';
import type { FrameSpec } from '../support/frames';
import { frame } from '../support/frames';

export type Role = 'server' | 'client';

export const ROLES: readonly Role[] = ['server', 'client'];

/** A frame, or a part of its bytes. */
export interface FramePart extends FrameSpec {
  /** Only these bytes of the frame, `[from, to)` counted from its first. */
  readonly slice?: readonly [from: number, to: number];
  /** From this byte of the payload on; -1 is the last of the header. */
  readonly from?: number;
  /** Up to this byte of the payload, -1 being the last of the header. */
  readonly to?: number;
  /** Whether the frame breaks the rule of its role: masked to a client, not masked to a server. */
  readonly wrongMask?: boolean;
  /** Stands for the bytes where they are shown: those that zlib makes differ from one release of Node to the next. */
  readonly about?: string;
}

/** What the peer sends: frames or parts of frames, masked as its role has it, or bytes as they are. */
export type Sent = FramePart | Buffer;

/** What the application under test does. */
export interface Action {
  readonly text: string;
  readonly run: (webSocket: WebSocket) => void;
}

/**
 * One exchange: the peer sends or the application acts, then exactly this comes back. Over memory it is also asserted
 * that nothing else comes before the next step, so that a step with no outcome says "not yet".
 */
export interface Step {
  /** `'end'` ends the peer's side of the TCP connection. */
  readonly peer?: readonly Sent[] | 'end';
  readonly app?: Action;
  /** What the peer reads: frames by {@link showFrame}, and `end` where the other side ends TCP. */
  readonly wire?: readonly string[];
  /** What the application is told: `text Hello`, `binary 0102`, `ping 68`, `pong 68`, `error <code>`, `close 1000 reason`. */
  readonly told?: readonly string[];
}

/** A conversation on an established connection. The application sends every message back as it came. */
export interface Conversation {
  readonly id: string;
  /** Ids of the clauses that it is about. */
  readonly clauses: readonly string[];
  readonly title: string;
  /** @defaultValue both */
  readonly roles?: readonly Role[];
  readonly options?: WebSocketOptions;
  /** The agreed parameters of permessage-deflate; not in use where it is missing. */
  readonly deflate?: string;
  /** Whether the application sends messages back. @defaultValue true */
  readonly echo?: boolean;
  /** Frames that come right behind a server's 101, in the same write. */
  readonly early?: readonly Sent[];
  readonly steps: readonly Step[];
}

/** The masking key of the peer's frames. */
export const PEER_KEY = 0x37fa213d;

/** The bytes of what a peer sends to this role. */
export function encode(sent: Sent, role: Role): Buffer {
  if (Buffer.isBuffer(sent)) return sent;
  const { slice, from, to, wrongMask = false, about: _, ...spec } = sent;
  const masked = (role === 'server') !== wrongMask;
  const bytes = frame(masked ? { key: PEER_KEY, ...spec } : spec);
  if (slice !== undefined) return bytes.subarray(...slice);
  const header = bytes.length - Buffer.from(spec.payload ?? '').length;
  return bytes.subarray(
    from === undefined ? 0 : header + from,
    to === undefined ? bytes.length : header + to,
  );
}

/** The steps' bytes one after the other, for a reader: as to a client, and abbreviated. */
export function showSent(sent: readonly Sent[]): string {
  return sent
    .map((part) => {
      if (!Buffer.isBuffer(part) && part.about !== undefined) return part.about;
      return abbreviate(encode(part, 'client'));
    })
    .join(' ');
}

const SHOWN_BYTES = 20;

function abbreviate(bytes: Buffer): string {
  if (bytes.length <= SHOWN_BYTES) return bytes.toString('hex');
  return `${bytes.toString('hex', 0, SHOWN_BYTES - 4)}… (${bytes.length} bytes)`;
}
