import { WebSocket } from '@upwire/engine';
import { emitterClient, serveEchoClient } from './echo-client.mjs';

serveEchoClient(emitterClient(WebSocket));
