import { interoperate } from './interoperate';
import { fayeWebsocket } from './peers/faye-websocket';

interoperate(fayeWebsocket);
