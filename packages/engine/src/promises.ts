import { CloseCode } from './protocol/close';
import { notOpen, State } from './protocol/state';
import type { WebSocket } from './websocket';

/** How a connection has ended. */
export interface CloseDetails {
  /** The code of the peer's close frame; 1005 where it had none, 1006 where no close frame came. */
  readonly code: number;
  /** The reason that the peer gave, or `''`. */
  readonly reason: string;
  /** Whether both sides have sent their close frames. */
  readonly wasClean: boolean;
}

/** Why opening handshakes came to nothing, for those who ask late. */
const failures = new WeakMap<object, Error>();
const openings = new WeakMap<WebSocket, Promise<WebSocket>>();
const endings = new WeakMap<WebSocket, Promise<CloseDetails>>();

/** Keeps why a WebSocket will not open. */
export function keepFailure(webSocket: object, error: Error): void {
  failures.set(webSocket, error);
}

/** Why a WebSocket has not opened; `undefined` for one that has, or still may. */
export function failureOf(webSocket: WebSocket): Error | undefined {
  return failures.get(webSocket);
}

/** Settles with what becomes of the opening handshake; see `webSocket.opened`. */
export function openedOf(webSocket: WebSocket): Promise<WebSocket> {
  if (webSocket.readyState >= State.CLOSING && webSocket._socket !== null) {
    return Promise.reject(tooLate(webSocket));
  }
  let opening = openings.get(webSocket);
  if (opening === undefined) {
    opening = makeOpening(webSocket);
    openings.set(webSocket, opening);
  }
  return opening;
}

function makeOpening(webSocket: WebSocket): Promise<WebSocket> {
  const failure = failureOf(webSocket);
  if (webSocket.readyState === State.OPEN) return Promise.resolve(webSocket);
  if (failure !== undefined && webSocket.hasEnded) return Promise.reject(failure);
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      webSocket.off('open', onOpen).off('error', onError).off('close', onClose);
    };
    const onOpen = (): void => {
      settle();
      resolve(webSocket);
    };
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    // Another listener may have thrown before the error was heard here, or it was asked for in one.
    const onClose = (): void => onError(failureOf(webSocket) ?? tooLate(webSocket));
    webSocket.on('open', onOpen).on('error', onError).on('close', onClose);
  });
}

/** Resolves with how the connection has ended; see `webSocket.closed`. */
export function closedOf(webSocket: WebSocket): Promise<CloseDetails> {
  let ending = endings.get(webSocket);
  if (ending === undefined) {
    ending = new Promise((resolve) => {
      if (webSocket.hasEnded) resolve(closeDetails(webSocket));
      else webSocket.once('close', () => resolve(closeDetails(webSocket)));
    });
    endings.set(webSocket, ending);
  }
  return ending;
}

/** How a connection that is CLOSED has ended. */
export function closeDetails(webSocket: WebSocket): CloseDetails {
  // Without a socket there has been no connection.
  if (webSocket._socket === null) return { code: CloseCode.ABNORMAL, reason: '', wasClean: false };
  const { closeCode, closeReason } = webSocket.connection;
  return {
    code: closeCode,
    reason: closeReason.toString(),
    wasClean: webSocket.closedCleanly,
  };
}

/** The error for a WebSocket that is OPEN no longer. */
export function tooLate({ readyState }: WebSocket): Error {
  return Object.assign(notOpen(readyState), { code: 'WS_ERR_NOT_OPEN' });
}
