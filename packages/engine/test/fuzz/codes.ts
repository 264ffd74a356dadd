import { HandshakeErrorCode } from '../../src/handshake/error';
import { Faults } from '../../src/protocol/errors';
import { Finding } from './target';

/** Each documented fault of a peer, with what it is told. */
const FAULTS = new Map<string, readonly number[]>([
  ...Object.values(Faults).map(({ code, closeCode }) => [code, [closeCode]] as const),
  ['WS_ERR_INFLATION_RATIO_EXCEEDED', [1009]],
  ['WS_ERR_TOO_MANY_FINAL_BLOCKS', [1008]],
  ['Z_DATA_ERROR', [1007]],
  ['Z_BUF_ERROR', [1007]],
]);

const HANDSHAKE: ReadonlySet<string> = new Set<string>(Object.values(HandshakeErrorCode));

interface Coded {
  readonly code?: string;
  readonly closeCode?: number;
}

/** Throws unless an error is a documented fault of the peer. */
export function expectFault(error: Error): void {
  const { code = '', closeCode = 0 } = error as Coded;
  if (!FAULTS.get(code)?.includes(closeCode)) {
    throw new Finding('an undocumented fault', code, closeCode, error.stack);
  }
}

/** Throws unless an error is one that an opening handshake may come to: ours, of Node's HTTP parser, or of the socket. */
export function expectHandshakeError(error: Error): void {
  const { code = '' } = error as Coded;
  if (HANDSHAKE.has(code) || code.startsWith('HPE_') || code === 'ECONNRESET') return;
  throw new Finding('an undocumented error of the handshake', code, error.stack);
}
