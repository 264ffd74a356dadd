// The table over TCP and over TLS, where each connection costs real time: what is cut has been seen in memory.
import { ROLES } from './case';
import { CHUNKINGS } from './run/chunks';
import { socketLink } from './run/links';
import { LONG } from './run/long';
import { conversationTests, handshakeTests } from './run/suite';

const THRIFT = {
  tcp: { bytes: 64, random: 10_000 },
  tls: { bytes: 0, random: 0 },
} as const;

describe.each(['tcp', 'tls'] as const)('%s', (name) => {
  conversationTests(
    () => socketLink(name),
    ROLES,
    LONG ? { bytes: 1_000, random: Number.POSITIVE_INFINITY } : THRIFT[name],
  );
  handshakeTests(() => socketLink(name), LONG ? CHUNKINGS : ['whole']);
});
