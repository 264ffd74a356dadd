// The table over sockets in memory, where each chunk is read as it was written.
import { CHUNKINGS } from './run/chunks';
import { memoryLink } from './run/links';
import { conversationTests, handshakeTests } from './run/suite';

conversationTests(async () => memoryLink(), ['server', 'gateway', 'client'], {
  bytes: Number.POSITIVE_INFINITY,
  random: Number.POSITIVE_INFINITY,
});
handshakeTests(async () => memoryLink(), CHUNKINGS);
