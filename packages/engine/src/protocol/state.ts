/**
 * The life of an established connection. Everything that moves it from one state to another is in this file.
 * CONNECTING, which comes before, belongs to the handshake.
 *
 * @see RFC 6455 4.1, 7.1
 */
export const State = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const;

/** Of the states, by their values. */
export const STATE_NAMES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const;

export type State = (typeof State)[keyof typeof State];

/** What can happen to an established connection. */
export type Transition =
  /** We sent a close frame. */
  | 'closeSent'
  /** The peer's close frame came. */
  | 'closeReceived'
  /** The peer broke the protocol (RFC 6455 7.1.7). */
  | 'failed'
  /** The peer will send no more bytes. */
  | 'transportEnded'
  /** The transport is gone. */
  | 'transportClosed';

type EstablishedState = 1 | 2 | 3;

const TRANSITIONS: Record<EstablishedState, Record<Transition, EstablishedState>> = {
  [State.OPEN]: {
    closeSent: State.CLOSING,
    closeReceived: State.CLOSING,
    failed: State.CLOSING,
    transportEnded: State.CLOSING,
    transportClosed: State.CLOSED,
  },
  [State.CLOSING]: {
    closeSent: State.CLOSING,
    closeReceived: State.CLOSING,
    failed: State.CLOSING,
    transportEnded: State.CLOSING,
    transportClosed: State.CLOSED,
  },
  [State.CLOSED]: {
    closeSent: State.CLOSED,
    closeReceived: State.CLOSED,
    failed: State.CLOSED,
    transportEnded: State.CLOSED,
    transportClosed: State.CLOSED,
  },
};

/** The state after `transition`. */
export function nextState(state: EstablishedState, transition: Transition): EstablishedState {
  return TRANSITIONS[state][transition];
}

/** The error of whoever needs a connection that is OPEN, and has come too early or too late; just as in `ws`. */
export function notOpen(state: State): Error {
  return new Error(`WebSocket is not open: readyState ${state} (${STATE_NAMES[state]})`);
}
