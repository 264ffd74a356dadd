import { clientFrame, closeFrame, frame, serverFrame, TEXT } from '../wire/frames.mjs';
import { unitsOf } from '../wire/payloads.mjs';

/** Bytes that come back for each message, by the kind of load; those of compressed ones are the server's affair. */
const bytesPerMessage = {
  echo: ({ payload, reply, deflate }, { masked }) => {
    if (deflate) return undefined;
    if (reply !== undefined) return serverFrame(reply).length;
    return echoLength(payload, masked);
  },
  paced: ({ payload }, { masked }) => echoLength(payload, masked),
  broadcast: ({ payload, deflate }) => (deflate ? undefined : serverFrame(payload).length),
  flood: (_load, _peer, { acknowledge }) => frame(TEXT, Buffer.from('ok')).length / acknowledge,
  handshakes: ({ greeting }) => {
    const first = greeting === undefined ? 0 : frame(TEXT, Buffer.from(greeting)).length;
    return first + closeFrame(false).length;
  },
};

function echoLength(payload, masked) {
  return (masked ? clientFrame(payload) : serverFrame(payload)).length;
}

/** Throws unless exactly what had to come back has come back. */
export function checkReceived({ load, server }, peer, { messages, bytes }) {
  const each = bytesPerMessage[load.kind](load, peer, server);
  if (each === undefined) {
    if (bytes > 0) return;
    throw new Error('Nothing came back');
  }
  const expected = Math.round(messages * each);
  if (bytes !== expected) {
    throw new Error(`${bytes} bytes came back for ${messages} messages instead of ${expected}`);
  }
}

/** Throws unless the server has seen every message, and every byte or character of it. */
export function checkTally({ load }, peer, sent, tally) {
  const units = peer.masked ? clientFrame(load.payload).length : unitsOf(load.payload);
  if (tally.messages === sent && tally.units === sent * units) return;
  throw new Error(
    `The server counted ${tally.messages} messages, ${tally.units} in length, of ${sent}, ${sent * units} in length`,
  );
}

/** Throws unless a client has got all of its messages: payload alone, where it shows no more. */
export function checkClient({ load }, peer, { messages, bytes }) {
  const each = peer.masked ? serverFrame(load.payload).length : load.payload.bytes;
  if (bytes !== messages * each) {
    throw new Error(`The client got ${bytes} bytes instead of ${messages * each}`);
  }
}
