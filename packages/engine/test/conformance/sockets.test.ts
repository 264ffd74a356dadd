// The table over TCP and over TLS.
import { socketLink } from './run/links';
import { conversationTests, handshakeTests } from './run/suite';

describe.each(['tcp', 'tls'] as const)('%s', (name) => {
  conversationTests(() => socketLink(name), { bytes: 500, random: 10_000 });
  handshakeTests(() => socketLink(name), ['whole']);
});
