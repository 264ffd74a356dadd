import { WebSocket } from 'ws';
import { emitterClient, serveEchoClient } from './echo-client.mjs';

serveEchoClient(emitterClient(WebSocket));
