import type { ProtocolError } from './errors';
import { Faults, protocolError } from './errors';
import { LengthFault } from './frame';
import {
  FIN,
  isControl,
  LENGTH_BITS,
  MASK,
  MAX_CONTROL_PAYLOAD,
  OPCODE_BITS,
  Opcode,
  RSV1,
  RSV2_RSV3,
} from './opcodes';

/** What decides, beside the frame itself, whether it may come now. */
export interface FrameContext {
  /** Whether frames have to be masked: those a server receives, and no others (RFC 6455 5.1). */
  readonly expectsMask: boolean;
  /** Whether a message waits for more fragments. */
  readonly messageOpen: boolean;
  /** Whether RSV1 has a meaning (RFC 7692 6). */
  readonly compression: boolean;
}

/** Every rule that the first two bytes of a frame can break (RFC 6455 5.1, 5.2, 5.4, 5.5); `undefined` where none is broken. */
export function frameFault(
  first: number,
  second: number,
  context: FrameContext,
): ProtocolError | undefined {
  const opcode = first & OPCODE_BITS;
  if ((first & RSV2_RSV3) !== 0) return protocolError(Faults.RSV_2_3);
  // RFC 7692 6: RSV1 belongs to the first frame of a data message, and only where the extension is in use.
  const marked = (first & RSV1) !== 0;
  if (marked && (!context.compression || opcode === Opcode.CONTINUATION)) {
    return protocolError(Faults.RSV_1);
  }
  if (isControl(opcode)) {
    if (opcode > Opcode.PONG) return protocolError(Faults.OPCODE, opcode);
    if ((first & FIN) === 0) return protocolError(Faults.EXPECTED_FIN);
    if (marked) return protocolError(Faults.RSV_1);
    const length = second & LENGTH_BITS;
    if (length > MAX_CONTROL_PAYLOAD || (opcode === Opcode.CLOSE && length === 1)) {
      return protocolError(Faults.CONTROL_LENGTH, length);
    }
  } else if (opcode > Opcode.BINARY || (opcode === Opcode.CONTINUATION) !== context.messageOpen) {
    return protocolError(Faults.OPCODE, opcode);
  }
  if ((second & MASK) !== 0 && !context.expectsMask) return protocolError(Faults.UNEXPECTED_MASK);
  if ((second & MASK) === 0 && context.expectsMask) return protocolError(Faults.EXPECTED_MASK);
  return undefined;
}

/** The error of a length that a header can carry but must not (RFC 6455 5.2). */
export function lengthFault(length: number): ProtocolError {
  switch (length) {
    case LengthFault.NON_MINIMAL:
      return protocolError(Faults.NON_MINIMAL_LENGTH);
    case LengthFault.TOP_BIT:
      return protocolError(Faults.LENGTH_TOP_BIT);
    default:
      return protocolError(Faults.LENGTH_UNSAFE);
  }
}
