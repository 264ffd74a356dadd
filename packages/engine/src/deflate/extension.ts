import { INVALID_EXTENSIONS } from '../handshake/accept';
import type { ExtensionOffer } from '../handshake/client';
import type { ExtensionOffers } from '../handshake/extensions';
import { parseExtensions } from '../handshake/extensions';
import type { Refusal } from '../handshake/refusal';
import type { HandshakeRequest } from '../handshake/request';
import { headerValue } from '../handshake/request';
import type { MessageCompression } from '../protocol/compression';
import { createCompression } from './codec';
import type { CompressionLimits } from './limits';
import type { Agreement } from './negotiate';
import {
  acceptOffers,
  checkAgreement,
  createOffer,
  EXTENSION_NAME,
  formatParameters,
} from './negotiate';
import type { PerMessageDeflateOptions, ResolvedDeflateOptions } from './options';
import { resolveDeflateOptions } from './options';

/**
 * What a server agrees to.
 *
 * @param options `undefined` for a server without compression, to which a header that cannot be read is wrong all the same
 * @returns the agreement; `null` where the client offers nothing acceptable, which is no reason to refuse it
 * (RFC 7692 7.1); or the answer to a header that cannot be read (RFC 6455 9.1)
 */
export function agreeAsServer(
  request: HandshakeRequest,
  options: ResolvedDeflateOptions | undefined,
): Agreement | Refusal | null {
  const header = headerValue(request, 'sec-websocket-extensions');
  if (header === undefined) return null;
  let offers: ExtensionOffers;
  try {
    offers = parseExtensions(header);
  } catch {
    // The parser throws for the peer's fault alone, and that is what this answer says.
    return INVALID_EXTENSIONS;
  }
  const ours = offers[EXTENSION_NAME];
  return ours === undefined || options === undefined ? null : acceptOffers(ours, options);
}

/** The value of the response's `Sec-WebSocket-Extensions`. */
export function formatAgreement(agreement: Agreement): string {
  return formatParameters(agreement.parameters);
}

/** A client that offers no extension. */
const NO_EXTENSION: ExtensionOffer<MessageCompression> = {
  offer: undefined,
  accept: () => {
    throw new Error('No extension was offered');
  },
};

/** Shared by all clients that leave the option out, and so is their use of the thread pool. */
const DEFAULT_OPTIONS = resolveDeflateOptions();

/**
 * What a client offers, and what it makes of the answer.
 *
 * @param option `perMessageDeflate`
 * @throws TypeError or RangeError that names the option and the value
 */
export function offerAsClient(
  option: boolean | PerMessageDeflateOptions | null | undefined,
  limits: CompressionLimits,
): ExtensionOffer<MessageCompression> {
  // As with a server and in `ws`, `null` is no compression.
  if (option === false || option === null) return NO_EXTENSION;
  const isDefault = option === undefined || option === true;
  const options = isDefault ? DEFAULT_OPTIONS : resolveDeflateOptions(option);
  return {
    offer: formatParameters(createOffer(options)),
    accept: (answers) =>
      createCompression(checkAgreement(answers, options), 'client', options, limits),
  };
}
