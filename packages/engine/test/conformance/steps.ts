/** Steps that many cases share. */
import type { FrameSpec } from '../support/frames';
import { BINARY, TEXT } from '../support/frames';
import type { Action, FramePart, Sent, Step } from './case';
import { showMessage } from './run/show';

/** The frames make up a message, which the application is told and sends back. */
export function echoed(payload: Buffer | string, kind: 'text' | 'binary', ...peer: Sent[]): Step {
  const shown = showMessage(Buffer.from(payload), kind === 'binary');
  return { peer, wire: [shown], told: [shown] };
}

export function echoedText(text: Buffer | string, ...peer: Sent[]): Step {
  return echoed(text, 'text', ...(peer.length > 0 ? peer : [{ opcode: TEXT, payload: text }]));
}

export function echoedBinary(bytes: Buffer, ...peer: Sent[]): Step {
  return echoed(
    bytes,
    'binary',
    ...(peer.length > 0 ? peer : [{ opcode: BINARY, payload: bytes }]),
  );
}

/** Nothing comes of these bytes yet. */
export function quiet(...peer: Sent[]): Step {
  return { peer };
}

/** These bytes fail the connection, at once: close frame, end of TCP, and error and 1006 for the application. */
export function fails(closeCode: number, error: string, ...peer: Sent[]): Step {
  return { peer, wire: [`close ${closeCode}`, 'end'], told: [`error ${error}`, 'close 1006'] };
}

/** The same behind what a message brought before. */
export function protocolError(error: string, ...peer: Sent[]): Step {
  return fails(1002, `WS_ERR_${error}`, ...peer);
}

export function invalidUtf8(...peer: Sent[]): Step {
  return fails(1007, 'WS_ERR_INVALID_UTF8', ...peer);
}

/** A frame's bytes up to the n-th of its payload, and the bytes from there on. */
export function upTo(to: number, spec: FrameSpec): FramePart {
  return { ...spec, to };
}

export function rest(from: number, spec: FrameSpec): FramePart {
  return { ...spec, from };
}

/** One step behind the other's outcome in the same breath. */
export function together(...steps: Step[]): Step {
  return {
    peer: steps.flatMap(({ peer }) => (peer === undefined || peer === 'end' ? [] : [...peer])),
    wire: steps.flatMap(({ wire = [] }) => [...wire]),
    told: steps.flatMap(({ told = [] }) => [...told]),
  };
}

export function action(text: string, run: Action['run']): Action {
  return { text, run };
}
