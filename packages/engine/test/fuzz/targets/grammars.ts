import ws from 'ws';
import type { DeflateParameters } from '../../../src/deflate/negotiate';
import {
  acceptOffers,
  checkAgreement,
  createOffer,
  EXTENSION_NAME,
  formatParameters,
} from '../../../src/deflate/negotiate';
import type { PerMessageDeflateOptions } from '../../../src/deflate/options';
import { resolveDeflateOptions } from '../../../src/deflate/options';
import { formatExtensions, parseExtensions } from '../../../src/handshake/extensions';
import { parseSubprotocols } from '../../../src/handshake/subprotocols';
import type { Choices } from '../choices';
import { headerText } from '../headers';
import type { Target } from '../target';
import { expectSame, Finding } from '../target';

// `@types/ws` knows neither of the two.
const reference = ws as unknown as {
  readonly extension: { parse(header: string): object };
  readonly subprotocol: { parse(header: string): Set<string> };
};

/** What a reader makes of a header, or the SyntaxError that it throws. */
function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError) return String(error);
    throw error;
  }
}

/** `Sec-WebSocket-Extensions`: read as `ws` reads it, and what is read is written so that it is read again. */
export const extensions: Target = {
  name: 'extensions',
  share: 8,
  run(choices: Choices): void {
    const header = headerText(choices, ';');
    const ours = outcome(() => parseExtensions(header));
    expectSame(
      header,
      ours,
      outcome(() => reference.extension.parse(header)),
    );
    if (typeof ours === 'string') return;
    const read = parseExtensions(header);
    expectSame('written and read', parseExtensions(formatExtensions(read)), read);
  },
};

/** `Sec-WebSocket-Protocol`, read as `ws` reads it. */
export const subprotocols: Target = {
  name: 'subprotocols',
  share: 4,
  run(choices: Choices): void {
    const header = headerText(choices, ',');
    expectSame(
      header,
      outcome(() => [...parseSubprotocols(header)]),
      outcome(() => [...reference.subprotocol.parse(header)]),
    );
  },
};

const bits = (choices: Choices): number => 8 + choices.below(8);

function chooseOptions(choices: Choices): PerMessageDeflateOptions {
  const flag = (): boolean | undefined => choices.pick([undefined, true, false]);
  return {
    serverNoContextTakeover: flag(),
    clientNoContextTakeover: flag(),
    serverMaxWindowBits: choices.oneIn(2) ? bits(choices) : undefined,
    clientMaxWindowBits: choices.pick([undefined, true, bits(choices)]),
  };
}

const NAMES = [
  'server_no_context_takeover',
  'client_no_context_takeover',
  'server_max_window_bits',
  'client_max_window_bits',
  'unknown',
];
const VALUES = ['', '=8', '=15', '="12"', '=7', '=16', '=08', '=1x'];

function chooseOffers(choices: Choices): string {
  const offers: string[] = [];
  do {
    let offer = choices.oneIn(8) ? 'x-other' : EXTENSION_NAME;
    for (let left = choices.below(5); left > 0; left--) {
      offer += `; ${choices.pick(NAMES)}${choices.pick(VALUES)}`;
    }
    offers.push(offer);
  } while (choices.oneIn(2) && offers.length < 4);
  return offers.join(', ');
}

/** Whether a server's answer is one to an offer of ours, as RFC 7692 7.1 has it. */
function expectAnswer(offer: DeflateParameters, answer: DeflateParameters): void {
  const asked = offer.server_max_window_bits;
  if (offer.server_no_context_takeover && !answer.server_no_context_takeover) {
    throw new Finding('forgot server_no_context_takeover', offer, answer);
  }
  if (asked !== undefined && !(Number(answer.server_max_window_bits) <= asked)) {
    throw new Finding('a larger server_max_window_bits', offer, answer);
  }
  if (answer.client_max_window_bits !== undefined && offer.client_max_window_bits === undefined) {
    throw new Finding('an unasked client_max_window_bits', offer, answer);
  }
}

/** permessage-deflate: a server takes any offer without a word, and a client takes what the server makes of its own. */
export const negotiation: Target = {
  name: 'negotiation',
  share: 4,
  run(choices: Choices): void {
    const server = resolveDeflateOptions(chooseOptions(choices));
    const foreign = parseExtensions(chooseOffers(choices))[EXTENSION_NAME] ?? [];
    acceptOffers(foreign, server);
    const client = resolveDeflateOptions(chooseOptions(choices));
    const offer = createOffer(client);
    const [offered] = parseExtensions(formatParameters(offer))[EXTENSION_NAME];
    const agreement = acceptOffers([offered], server);
    if (agreement === null) return;
    expectAnswer(offer, agreement.parameters);
    const answers = parseExtensions(formatParameters(agreement.parameters))[EXTENSION_NAME];
    // RFC 7692 7.1.1.2: a server may ask for what this client has declined beforehand, which it may not.
    const declined = client.clientNoContextTakeover === false && agreement.clientNoContextTakeover;
    const refused = outcomeOf(() => checkAgreement(answers, client));
    if (declined ? refused === undefined : refused !== undefined) {
      throw new Finding('the client disagrees', offer, agreement, refused);
    }
  },
};

function outcomeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return String(error);
  }
}
