// `ws`. WS_NO_BUFFER_UTIL=1 in its environment keeps it from using `bufferutil`.
import { WebSocketServer } from 'ws';
import { sendToEach } from './behaviours.mjs';
import { serveWebSockets } from './websocket-server.mjs';

serveWebSockets(WebSocketServer, sendToEach);
